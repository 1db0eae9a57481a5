#include <embedrouter/client.h>

#include <algorithm>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <new>

#include "sdk/embeddings_decoder.h"

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

// Refused for what is in it: by the server, or by us as nothing that can be sent.
bool blames_the_request(const Error& error) {
  return error.kind() == ErrorKind::bad_request || error.kind() == ErrorKind::payload_too_large ||
         error.kind() == ErrorKind::usage || error.status() == 422;
}

// The retries of one request are enough to learn of these.
bool holds_for_all(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::unauthorized:
    case ErrorKind::payment_required:
    case ErrorKind::forbidden:
    case ErrorKind::not_found:
    case ErrorKind::connect_failed:
    case ErrorKind::untrusted:
    case ErrorKind::cancelled:
      return true;
    default:
      return false;
  }
}

// A text that nobody refuses.
constexpr std::string_view kHarmless = "a";

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
    generate(texts_.subspan(batch.first, batch.count))
        .then([mailbox = mailbox_, batch](Result<EmbeddingsResponse> answer) {
          mailbox->put({batch, std::move(answer)});
        });
  }

  Call<EmbeddingsResponse> generate(std::span<const std::string_view> texts) const {
    return embeddings_.generate({.input = texts,
                                 .model = how_.model,
                                 .dimensions = how_.dimensions,
                                 .encoding_format = "base64",
                                 .input_type = how_.input_type,
                                 .user = how_.user,
                                 .provider = how_.provider,
                                 .session_id = how_.session_id,
                                 .trace = how_.trace},
                                options_);
  }

  // Whether a request is refused whatever its texts. Asked once, when the first is refused before any has
  // been embedded: to find the texts to blame takes up to two requests a text.
  bool refuses_all() {
    if (!refuses_all_) {
      const auto answer = generate({&kHarmless, 1}).get();
      refuses_all_ = !answer && blames_the_request(answer.error());
      if (answer) count_usage(*answer);
    }
    return *refuses_all_;
  }

  void settle(const Finished& finished) {
    const Batch& batch = finished.batch;
    auto stored =
        finished.answer ? store(batch, *finished.answer) : Result<void>(fail(finished.answer.error()));
    if (stored) return progress(batch.count);
    const Error& error = stored.error();
    const bool blamed = blames_the_request(error);
    const bool useless = blamed && embedded_ == 0 && texts_.size() > 1 && !stopped_by_ && refuses_all();
    if (useless || holds_for_all(error)) stopped_by_ = error;
    if (blamed && batch.count > 1 && !stopped_by_) {
      const std::size_t half = batch.count / 2;
      waiting_.push_back({batch.first + half, batch.count - half});
      waiting_.push_back({batch.first, half});
      return;
    }
    fail_items(batch, error);
  }

  Result<void> store(const Batch& batch, const EmbeddingsResponse& answer) {
    const auto matrix = answer.matrix();
    if (!matrix) return fail(matrix.error());
    const auto wrong = [&answer](const std::string& what) {
      return fail(EmbeddingsDecoder::invalid(answer, what));
    };
    if (matrix->empty()) return wrong("the vectors are empty");
    if (!rows_) {
      // As wide as what came, but for all texts.
      rows_.reset(new (std::nothrow) float[texts_.size() * matrix->width()]);
      if (!rows_) {
        return wrong("there is no memory for " + std::to_string(texts_.size()) + " vectors of " +
                     std::to_string(matrix->width()) + " values");
      }
      width_ = matrix->width();
    }
    if (matrix->width() != width_) {
      return wrong("the vectors are " + std::to_string(matrix->width()) + " wide, those before " +
                   std::to_string(width_));
    }
    std::copy_n(matrix->data(), matrix->size(), row_of(batch.first, batch.count).data());
    embedded_ += batch.count;
    out_.model = answer.model;
    count_usage(answer);
    return {};
  }

  void count_usage(const EmbeddingsResponse& answer) {
    if (!answer.usage) return;
    // Whatever a server says: no sum overflows.
    if (__builtin_add_overflow(out_.prompt_tokens, answer.usage->prompt_tokens, &out_.prompt_tokens))
      out_.prompt_tokens = std::numeric_limits<std::int64_t>::max();
    out_.cost += answer.usage->cost.value_or(0);
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
  std::size_t under_way_ = 0, done_ = 0, embedded_ = 0;
  std::optional<bool> refuses_all_;
  std::optional<Error> first_error_, stopped_by_;
  EmbedAllResult out_;
};

}  // namespace

Result<EmbedAllResult> Embeddings::embed_all(std::span<const std::string_view> texts,
                                             const EmbedAllOptions& how, CallOptions options) const {
  return EmbedAll(*this, texts, how, std::move(options)).run();
}

}  // namespace embedrouter::sdk::inline v0
