#include "sdk/embeddings_decoder.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "api/vector_text.h"
#include "sdk/answer.h"
#include "sdk/embeddings_types.h"

namespace embedrouter::sdk {

inline namespace v0 {
namespace {

using api::JsonKind;

bool all_finite(std::span<const float> values) {
  // One test at the end: a loop without branches is vectorised. A finite value less itself is 0, any other a
  // NaN.
  std::uint32_t faults = 0;
  for (const float value : values) faults |= std::bit_cast<std::uint32_t>(value - value);
  return (faults & 0x7fffffffU) == 0;
}

embedrouter::Result<std::size_t> width_of(const EmbeddingView& view) {
  if (view.base64) return api::base64_width(view.text);
  const auto facts = api::scan_numbers(view.text);
  if (!facts) return embedrouter::fail(facts.error());
  return facts->width;
}

// Nothing, or what is wrong.
std::string fill(const EmbeddingView& view, std::span<float> out) {
  if (!view.base64) {
    const auto facts = api::parse_numbers(view.text, out);
    return facts ? std::string() : facts.error().message();
  }
  const auto decoded = api::decode_base64(view.text, out);
  if (!decoded) return decoded.error().message();
  return all_finite(out) ? std::string() : "a value is not finite";
}

tl::unexpected<Error> invalid(const std::string& what) {
  return fail(ErrorKind::response_validation, "Response validation failed: " + what);
}

}  // namespace

bool EmbeddingsDecoder::read_word(std::string_view expected) {
  std::string word;
  if (!read(in_, word)) return false;
  return word == expected || in_.wrong('"' + std::string(expected) + '"');
}

std::span<float> EmbeddingsDecoder::row_for(const EmbeddingView& view) {
  const std::size_t i = out_.data_.size() - 1;
  if (filled_ != i || i >= items_) return {};
  if (i == 0) {
    const auto width = width_of(view);
    // A body holds some bytes for each value: no room is made for what cannot come.
    if (!width || *width == 0 || *width > body_size_ || items_ > body_size_ / *width) return {};
    width_ = *width;
    rows_.reset(new float[items_ * width_]);
  }
  return {rows_.get() + i * width_, width_};
}

bool EmbeddingsDecoder::read_base64(EmbeddingView& out) {
  out.base64 = true;
  const api::JsonCursor before = in_.json;
  // All are as long as the first.
  const std::size_t length = out_.data_.size() == 1 ? 0 : out_.data_.front().text.size();
  if (in_.json.skip_flat_string(out.text, length)) {
    const auto row = row_for(out);
    if (!row.empty() && fill(out, row).empty()) {
      ++filled_;
      return true;
    }
  }
  in_.json = before;
  api::JsonString text;
  if (!in_.json.read_string(text)) return false;
  out.text = text.raw;
  if (text.escaped) {
    // Some servers write "/" as an escape.
    auto plain = std::make_shared<std::string>();
    out.text = api::text_of(text, *plain);
    out_.unescaped_.push_back(std::move(plain));
  }
  return true;
}

bool EmbeddingsDecoder::read_vector(EmbeddingView& out) {
  const JsonKind kind = in_.json.kind();
  if (kind == JsonKind::string) return read_base64(out);
  if (kind != JsonKind::array) return in_.wrong("an array of numbers or a string");
  out.base64 = false;
  if (!in_.json.skip_flat_array(out.text)) return false;
  const auto row = row_for(out);
  if (!row.empty() && fill(out, row).empty()) {
    ++filled_;
    return true;
  }
  const auto facts = api::scan_numbers(out.text);
  if (facts) return true;
  in_.complaint = in_.path + " is not an array of numbers: " + facts.error().message();
  return false;
}

// If each item has its row, in order.
void EmbeddingsDecoder::keep_rows() {
  if (filled_ != items_ || filled_ == 0 || out_.data_.size() != items_) return;
  const bool indexed = out_.data_.front().index.has_value();
  for (std::size_t i = 0; i < items_; ++i) {
    const auto& index = out_.data_[i].index;
    if (index.has_value() != indexed || (index && *index != static_cast<std::int64_t>(i))) return;
  }
  out_.rows_ = Matrix(std::move(rows_), items_, width_);
}

bool EmbeddingsDecoder::read_item(EmbeddingView& out) {
  if (in_.json.kind() != JsonKind::object) return in_.wrong("an object");
  in_.json.enter('{');
  const std::size_t length = in_.path.size();
  bool has_vector = false, has_object = false, first = true;
  api::JsonString key;
  while (in_.json.next_member(first, key)) {
    bool good = true;
    in_.path += '.';
    in_.path += key.raw;
    if (key.raw == "embedding") {
      // Twice in one item: the last counts.
      if (has_vector && filled_ == out_.data_.size()) --filled_;
      good = has_vector = read_vector(out);
    } else if (key.raw == "object") {
      good = has_object = read_word("embedding");
    } else if (key.raw == "index") {
      good = read(in_, out.index);
    } else {
      good = in_.json.skip();
    }
    if (!good) return false;
    in_.path.resize(length);
  }
  if (!in_.json.ok()) return false;
  if (!has_vector) return in_.wrong("an object with an embedding");
  return has_object || in_.wrong("an object of the kind \"embedding\"");
}

bool EmbeddingsDecoder::read_data() {
  if (in_.json.kind() != JsonKind::array) return in_.wrong("an array");
  in_.json.enter('[');
  out_.data_.clear();
  out_.data_.reserve(std::min(items_, body_size_ / 32));
  filled_ = 0;
  const std::size_t length = in_.path.size();
  bool first = true;
  while (in_.json.next_element(first)) {
    in_.path += '[' + std::to_string(out_.data_.size()) + ']';
    if (!read_item(out_.data_.emplace_back())) return false;
    in_.path.resize(length);
  }
  return in_.json.ok();
}

bool EmbeddingsDecoder::read_body() {
  if (in_.json.kind() != JsonKind::object) return in_.wrong("an object");
  in_.json.enter('{');
  bool has_object = false, has_model = false, has_data = false, first = true;
  api::JsonString key;
  while (in_.json.next_member(first, key)) {
    bool good = true;
    in_.path = key.raw;
    if (key.raw == "data") {
      good = has_data = read_data();
    } else if (key.raw == "object") {
      good = has_object = read_word("list");
      out_.object = "list";
    } else if (key.raw == "model") {
      good = has_model = read(in_, out_.model);
    } else if (key.raw == "id") {
      good = read(in_, out_.id);
    } else if (key.raw == "usage") {
      good = read(in_, out_.usage);
    } else if (key.raw == "provider" && in_.json.kind() == JsonKind::string) {
      good = read(in_, out_.provider);
    } else {
      good = in_.json.skip();
    }
    if (!good) return false;
    in_.path.clear();
  }
  if (!in_.json.ok() || !in_.json.finish()) return false;
  const std::string_view missing = !has_data ? "data" : !has_model ? "model" : !has_object ? "object" : "";
  if (missing.empty()) return true;
  in_.complaint = "the answer has no " + std::string(missing);
  return false;
}

Result<EmbeddingsResponse> EmbeddingsDecoder::decode(HttpResponse response, std::size_t items) {
  if (!is_success(operations::kGenerate, response))
    return fail(error_of(operations::kGenerate, std::move(response)));
  const auto body = std::make_shared<std::string>(std::move(response.body));
  EmbeddingsDecoder decoder(*body, items);
  if (!decoder.read_body()) {
    response.body = std::move(*body);
    return fail(validation_error(std::move(response), decoder.in_.what()));
  }
  decoder.keep_rows();
  decoder.out_.headers = std::move(response.headers);
  decoder.out_.secret_ = std::move(response.secret);
  decoder.out_.body_ = body;
  decoder.out_.items_ = items;
  return std::move(decoder.out_);
}

Error EmbeddingsDecoder::invalid(const EmbeddingsResponse& response, const std::string& what) {
  return response.invalid_answer(what);
}

Result<std::vector<float>> EmbeddingView::values() const {
  const auto width = width_of(*this);
  if (!width) return invalid(width.error().message());
  std::vector<float> out(*width);
  if (const std::string fault = fill(*this, out); !fault.empty()) return invalid(fault);
  return out;
}

Result<std::size_t> EmbeddingsResponse::width() const {
  if (data_.empty()) return 0;
  const auto width = width_of(data_.front());
  if (!width) return fail(invalid_answer("data[0]: " + width.error().message()));
  return *width;
}

Error EmbeddingsResponse::invalid_answer(const std::string& what) const {
  return validation_error({200, headers, std::string(json()), {}, secret_}, what);
}

Result<void> EmbeddingsResponse::check_count() const {
  if (data_.size() == items_) return {};
  return fail(invalid_answer("the answer has " + std::to_string(data_.size()) + " vectors for " +
                             std::to_string(items_) + " items"));
}

Result<void> EmbeddingsResponse::read_into(std::span<float> out, std::size_t width) const {
  if (auto whole = check_count(); !whole) return whole;
  if (out.size() != data_.size() * width)
    return fail(ErrorKind::usage, "out has not the size of the vectors");
  if (rows_ && rows_->width() == width) {
    std::copy_n(rows_->data(), out.size(), out.data());
    return {};
  }
  const bool indexed = !data_.empty() && data_.front().index.has_value();
  std::vector<bool> filled(data_.size());
  for (std::size_t i = 0; i < data_.size(); ++i) {
    const EmbeddingView& view = data_[i];
    const auto wrong = [&](std::string_view what) {
      return fail(invalid_answer("data[" + std::to_string(i) + "]: " + std::string(what)));
    };
    if (view.index.has_value() != indexed) return wrong("only some vectors have an index");
    const auto row = static_cast<std::size_t>(view.index.value_or(static_cast<std::int64_t>(i)));
    if (row >= data_.size() || filled[row]) return wrong("the indices are not 0 to n - 1, each once");
    filled[row] = true;
    if (const std::string fault = fill(view, out.subspan(row * width, width)); !fault.empty())
      return wrong(fault);
  }
  return {};
}

Result<Matrix> EmbeddingsResponse::matrix() const {
  if (rows_) return *rows_;
  if (auto whole = check_count(); !whole) return fail(std::move(whole).error());
  const auto columns = width();
  if (!columns) return fail(columns.error());
  // A body holds some bytes for each value: no room is made for what did not come.
  if (*columns != 0 && data_.size() > json().size() / *columns)
    return fail(invalid_answer("the vectors differ in width"));
  const std::size_t size = data_.size() * *columns;
  std::shared_ptr<float[]> values(new float[size]);
  if (auto done = read_into({values.get(), size}, *columns); !done) return fail(std::move(done).error());
  return Matrix(std::move(values), data_.size(), *columns);
}

}  // namespace v0
}  // namespace embedrouter::sdk
