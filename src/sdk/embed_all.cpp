#include <embedrouter/client.h>

#include <algorithm>
#include <condition_variable>
#include <limits>
#include <mutex>

namespace embedrouter::sdk::inline v0 {
namespace {

struct Batch {
  std::size_t first = 0, count = 0;
};

struct Finished {
  Batch batch;
  Result<EmbeddingsResponse> answer;
};

// What callbacks hand to the waiting thread. Shared with them: the last one may still be in here when the
// wait ends.
class Mailbox {
 public:
  void put(Finished finished) {
    {
      std::lock_guard lock(mutex_);
      finished_.push_back(std::move(finished));
    }
    changed_.notify_one();
  }
  std::vector<Finished> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !finished_.empty(); });
    return std::exchange(finished_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Finished> finished_;
};

bool blames_the_texts(const Error& error) {
  return error.kind() == ErrorKind::bad_request || error.kind() == ErrorKind::payload_too_large ||
         error.status() == 422;
}

bool holds_for_all(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::unauthorized:
    case ErrorKind::payment_required:
    case ErrorKind::forbidden:
    case ErrorKind::not_found:
    case ErrorKind::cancelled:
      return true;
    default:
      return false;
  }
}

// So many texts refused one by one, and none taken: it is not about the texts.
constexpr std::size_t kHopeless = 4;

class EmbedAll {
 public:
  EmbedAll(Embeddings embeddings, std::span<const std::string_view> texts, const EmbedAllOptions& how,
           CallOptions options)
      : embeddings_(std::move(embeddings)), texts_(texts), how_(how), options_(std::move(options)) {}

  Result<EmbedAllResult> run() {
    split();
    while (true) {
      while (!waiting_.empty() && under_way_ < std::max<std::size_t>(how_.requests_at_once, 1)) send_next();
      if (under_way_ == 0) break;
      for (Finished& finished : mailbox_->take()) {
        --under_way_;
        settle(finished);
      }
    }
    if (!texts_.empty() && embedded_ == 0) return fail(*first_error_);
    std::ranges::sort(out_.failures, {}, &EmbedAllResult::Failure::item);
    for (const auto& failure : out_.failures)
      std::ranges::fill(row_of(failure.item, 1), std::numeric_limits<float>::quiet_NaN());
    out_.vectors = Matrix(std::move(rows_), texts_.size(), width_);
    return std::move(out_);
  }

 private:
  void split() {
    Batch batch;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      const bool full = batch.count >= std::max<std::size_t>(how_.batch_items, 1) ||
                        bytes + texts_[i].size() > how_.batch_bytes;
      if (batch.count != 0 && full) {
        waiting_.push_back(batch);
        batch = {i, 0};
        bytes = 0;
      }
      ++batch.count;
      bytes += texts_[i].size();
    }
    if (batch.count != 0) waiting_.push_back(batch);
    std::ranges::reverse(waiting_);  // taken from the end
  }

  void send_next() {
    const Batch batch = waiting_.back();
    waiting_.pop_back();
    if (stopped_by_) return fail_items(batch, *stopped_by_);
    ++under_way_;
    const EmbeddingsRequest request{.input = texts_.subspan(batch.first, batch.count),
                                    .model = how_.model,
                                    .dimensions = how_.dimensions,
                                    .encoding_format = "base64",
                                    .input_type = how_.input_type,
                                    .provider = how_.provider};
    embeddings_.generate(request, options_)
        .then([mailbox = mailbox_, batch](Result<EmbeddingsResponse> answer) {
          mailbox->put({batch, std::move(answer)});
        });
  }

  void settle(const Finished& finished) {
    const Batch& batch = finished.batch;
    auto stored =
        finished.answer ? store(batch, *finished.answer) : Result<void>(fail(finished.answer.error()));
    if (stored) return progress(batch.count);
    const Error& error = stored.error();
    const bool splits = blames_the_texts(error) || error.kind() == ErrorKind::usage;
    if (splits && batch.count > 1 && !stopped_by_) {
      const std::size_t half = batch.count / 2;
      waiting_.push_back({batch.first + half, batch.count - half});
      waiting_.push_back({batch.first, half});
      return;
    }
    if (splits && embedded_ == 0 && ++refused_ >= kHopeless) stopped_by_ = error;
    if (holds_for_all(error)) stopped_by_ = error;
    fail_items(batch, error);
  }

  Result<void> store(const Batch& batch, const EmbeddingsResponse& answer) {
    const auto width = answer.width();
    if (!width) return fail(width.error());
    if (!rows_) {
      width_ = *width;
      rows_.reset(new float[texts_.size() * width_]);
    }
    if (*width != width_) {
      return fail(ErrorKind::response_validation, "the vectors are " + std::to_string(*width) +
                                                      " wide, those before " + std::to_string(width_));
    }
    if (auto read = answer.read_into(row_of(batch.first, batch.count), width_); !read) return read;
    embedded_ += batch.count;
    out_.model = answer.model;
    if (answer.usage) {
      out_.prompt_tokens += answer.usage->prompt_tokens;
      out_.cost += answer.usage->cost.value_or(0);
    }
    return {};
  }

  std::span<float> row_of(std::size_t item, std::size_t count) {
    return {rows_.get() + item * width_, count * width_};
  }

  void fail_items(const Batch& batch, const Error& error) {
    if (!first_error_) first_error_ = error;
    for (std::size_t i = 0; i < batch.count; ++i) out_.failures.push_back({batch.first + i, error});
    progress(batch.count);
  }

  void progress(std::size_t count) {
    done_ += count;
    if (how_.progress) how_.progress(done_, texts_.size());
  }

  Embeddings embeddings_;
  std::span<const std::string_view> texts_;
  const EmbedAllOptions& how_;
  CallOptions options_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  std::vector<Batch> waiting_;
  std::shared_ptr<float[]> rows_;
  std::size_t width_ = 0;
  std::size_t under_way_ = 0, done_ = 0, embedded_ = 0, refused_ = 0;
  std::optional<Error> first_error_, stopped_by_;
  EmbedAllResult out_;
};

}  // namespace

Result<EmbedAllResult> Embeddings::embed_all(std::span<const std::string_view> texts,
                                             const EmbedAllOptions& how, CallOptions options) const {
  return EmbedAll(*this, texts, how, std::move(options)).run();
}

}  // namespace embedrouter::sdk::inline v0
