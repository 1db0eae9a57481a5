#include "telemetry/exporter.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "net/client.h"
#include "telemetry/otlp_json.h"

namespace embedrouter::telemetry {
namespace {

using std::chrono::seconds;

constexpr seconds kPeriod{1};
constexpr seconds kSendTime{3};  // for one call of the collector
constexpr int kTries = 3;        // of one batch
constexpr std::string_view kTracesPath = "/v1/traces";

// The specification's list of answers that mean "later".
bool is_temporary(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

class ExporterImpl final : public Exporter {
 public:
  ExporterImpl(ExporterOptions options, std::string target, Metrics& metrics, Log& log)
      : options_(std::move(options)),
        target_(std::move(target)),
        log_(log),
        alarm_(io_.get_executor()),
        exported_(counter(metrics, "exported")),
        failed_(counter(metrics, "failed")),
        dropped_(counter(metrics, "dropped")) {}
  ExporterImpl(const ExporterImpl&) = delete;
  ExporterImpl& operator=(const ExporterImpl&) = delete;
  ~ExporterImpl() override {
    stopping_ = true;
    wake();
    if (thread_.joinable()) thread_.join();
  }

  Result<void> begin(const net::Url& url) {
    net::ClientOptions options;
    options.deadlines = {kSendTime, kSendTime, kSendTime};
    auto client = net::Client::make(io_, url, options);
    if (!client) return fail(std::move(client).error());
    client_ = *std::move(client);
    asio::co_spawn(io_.get_executor(), run(), asio::detached);
    thread_ = std::thread([this] {
      io_.run();
      client_.reset();  // its idle connection would keep the context busy
    });
    return {};
  }

  void offer(Span span) override {
    std::size_t waiting = 0;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.size() < kQueue) {
        queue_.push_back(std::move(span));
        waiting = queue_.size();
      }
    }
    if (waiting == 0) dropped_.Increment();
    if (waiting == kBatch) wake();
  }

 private:
  static Counter& counter(Metrics& metrics, const char* outcome) {
    return metrics.counter(
        "embedrouter_spans_total",
        "Spans by what became of them: exported, failed (the collector would not take them), "
        "dropped (the queue was full)",
        {{"outcome", outcome}});
  }

  void wake() {
    asio::post(io_, [this] { alarm_.cancel(); });
  }

  Task<void> pause(seconds time) {
    boost::system::error_code woken;
    alarm_.expires_after(time);
    if (!stopping_) co_await alarm_.async_wait(asio::redirect_error(kAwait, woken));
  }

  std::vector<Span> take() {
    const std::lock_guard lock(mutex_);
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(std::min(kBatch, queue_.size()));
    std::vector<Span> batch(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
    return batch;
  }

  Task<void> run() {
    bool last = false;
    while (!last) {
      co_await pause(kPeriod);
      last = stopping_;
      for (std::vector<Span> batch = take(); !batch.empty(); batch = take()) {
        const bool sent = co_await send(batch);
        (sent ? exported_ : failed_).Increment(static_cast<double>(batch.size()));
        if (!sent && stopping_) break;  // a collector that is not there does not hold up the end
      }
    }
    const std::lock_guard lock(mutex_);
    dropped_.Increment(static_cast<double>(queue_.size()));
    queue_.clear();
    io_.stop();
  }

  Task<bool> send(const std::vector<Span>& batch) {
    std::string trouble;
    for (int attempt = 1;; ++attempt) {
      net::ClientRequest request;
      request.target = target_;
      request.headers.push_back({"Content-Type", "application/json"});
      request.body.append(encode_spans(options_.resource, batch));
      request.deadline = SystemClock().now() + kSendTime;
      auto answer = co_await client_->send(std::move(request));
      if (answer && answer->status / 100 == 2) break;
      const bool again = (!answer || is_temporary(answer->status)) && attempt < kTries && !stopping_;
      if (!again) {
        trouble = answer ? "it answered " + std::to_string(answer->status) : answer.error().message();
        break;
      }
      co_await pause(seconds(attempt));
    }
    tell(trouble);
    co_return trouble.empty();
  }

  // Once when it begins to fail, and once when that is over.
  void tell(const std::string& trouble) {
    const bool failing = !trouble.empty();
    if (failing == failing_) return;
    failing_ = failing;
    if (failing) {
      log_.warn("trace_export_fails", {{"reason", trouble}});
    } else {
      log_.info("trace_export_works_again");
    }
  }

  ExporterOptions options_;
  std::string target_;
  Log& log_;
  asio::io_context io_{1};
  Timer alarm_;
  std::unique_ptr<net::Client> client_;
  std::atomic<bool> stopping_{false};
  bool failing_ = false;
  Counter& exported_;
  Counter& failed_;
  Counter& dropped_;
  std::mutex mutex_;
  std::deque<Span> queue_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Exporter>> Exporter::start(ExporterOptions options, Metrics& metrics, Log& log) {
  auto url = net::Url::parse(options.url);
  if (!url) return fail(std::move(url).error());
  std::string target = url->path;
  if (!target.ends_with(kTracesPath)) target += kTracesPath;
  auto exporter = std::make_unique<ExporterImpl>(std::move(options), std::move(target), metrics, log);
  if (auto begun = exporter->begin(*url); !begun) return fail(std::move(begun).error());
  return exporter;
}

}  // namespace embedrouter::telemetry
