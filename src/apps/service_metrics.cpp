// Gauges and totals that are read from the running parts when /metrics is asked.

#include <algorithm>

#include "apps/health_watch.h"
#include "apps/service.h"
#include "base/process_metrics.h"

namespace embedrouter::apps {
namespace {

void watch_keys(Metrics& metrics, const ledger::KeyRing& keys) {
  Gauge& count = metrics.gauge("embedrouter_keys", "Keys that are accepted");
  Gauge& current = metrics.gauge("embedrouter_key_database_current",
                                 "1 if the last look at the key database succeeded, else 0");
  Counter& failures =
      metrics.counter("embedrouter_key_database_failures_total", "Looks at the key database that failed");
  metrics.before_render([=, &keys, &count, &current, &failures] {
    const ledger::KeyRing::Health health = keys.health();
    count.Set(static_cast<double>(keys.size()));
    current.Set(health.current ? 1 : 0);
    advance(failures, static_cast<double>(health.failures));
  });
}

}  // namespace

// The model in use is another one once its section of the configuration has changed. The totals go on from
// one to the next.
void Service::watch_model() {
  Gauge& jobs = metrics_.gauge("embedrouter_queue_requests", "Requests that wait for an embedded model");
  Gauge& texts = metrics_.gauge("embedrouter_queue_inputs", "Inputs that wait for an embedded model");
  Gauge& tokens = metrics_.gauge("embedrouter_queue_tokens", "Tokens that wait for an embedded model");
  Gauge& busy = metrics_.gauge("embedrouter_batch_busy_seconds",
                               "How long the compute thread slowest at its present batch has been at it");
  Counter& batches = metrics_.counter("embedrouter_batches_total", "Batches the embedded models ran");
  Counter& batch_texts = metrics_.counter("embedrouter_batch_inputs_total", "Inputs in those batches");
  Counter& batch_tokens =
      metrics_.counter("embedrouter_batch_tokens_total",
                       "Tokens in those batches; over batches times capacity, this is how full they were");
  Gauge& capacity = metrics_.gauge("embedrouter_batch_capacity_tokens", "Tokens that a full batch holds");
  const auto info = [this](const std::string& precision) -> Gauge& {
    return metrics_.gauge("embedrouter_build_info",
                          "1 for what runs, which the labels say; 0 for what ran before a reload",
                          {{"version", EMBEDROUTER_VERSION}, {"precision", precision}});
  };
  std::string precision;
  metrics_.before_render(
      [=, this, &jobs, &texts, &tokens, &busy, &batches, &batch_texts, &batch_tokens, &capacity]() mutable {
        const auto runtime = current();
        const std::shared_ptr<EmbeddedModel>& embedded = runtime->embedded().standing;
        inference::LocalModel::Load load;
        const auto add_queue = [&load](const inference::LocalModel& model) {
          const inference::LocalModel::Load queued = model.load_now();
          load.queued_jobs += queued.queued_jobs;
          load.queued_texts += queued.queued_texts;
          load.queued_tokens += queued.queued_tokens;
          load.busy = std::max(load.busy, queued.busy);
        };
        if (embedded) add_queue(*embedded->model);
        for (const auto& further : runtime->embedded().on_demand) add_queue(*further->model);
        jobs.Set(static_cast<double>(load.queued_jobs));
        texts.Set(static_cast<double>(load.queued_texts));
        tokens.Set(static_cast<double>(load.queued_tokens));
        busy.Set(std::chrono::duration<double>(load.busy).count());
        const inference::LocalModel::Load total = model_totals();
        advance(batches, static_cast<double>(total.batches));
        advance(batch_texts, static_cast<double>(total.texts));
        advance(batch_tokens, static_cast<double>(total.batch_tokens));
        capacity.Set(embedded ? static_cast<double>(embedded->model->batch_capacity()) : 0);
        const std::string runs = embedded ? embedded->model->facts().precision : "none";
        if (!precision.empty() && runs != precision) info(precision).Set(0);
        info(runs).Set(1);
        precision = runs;
      });
}

void Service::watch_pool() {
  for (const bool way : {true, false}) {  // from the start, at zero
    model_loads(way);
    model_unloads(way);
  }
  Gauge& loaded = metrics_.gauge("embedrouter_models_loaded", "Models on demand that are in memory");
  Gauge& bytes = metrics_.gauge("embedrouter_models_memory_bytes", "Bytes that those take at most");
  Gauge& limit = metrics_.gauge("embedrouter_models_memory_limit_bytes", "Bytes that they may take together");
  metrics_.before_render([this, &loaded, &bytes, &limit] {
    const inference::ModelPool::Usage usage = pool_.usage();
    loaded.Set(static_cast<double>(usage.loaded));
    bytes.Set(static_cast<double>(usage.bytes));
    limit.Set(static_cast<double>(usage.memory));
  });
}

void Service::watch_gauges() {
  watch_process(metrics_);
  key_pools_.watch(metrics_);
  watch_health(metrics_, endpoints_, clock_);
  watch_model();
  watch_pool();
  if (keys_) watch_keys(metrics_, *keys_);
  Gauge& ready = metrics_.gauge("embedrouter_ready", "1 if GET /readyz answers 200, else 0");
  Gauge& connections = metrics_.gauge("embedrouter_connections", "Open connections of clients");
  Gauge& bytes = metrics_.gauge("embedrouter_body_bytes_in_flight",
                                "Bytes of request bodies that are held or on their way");
  Gauge& most = metrics_.gauge("embedrouter_body_bytes_in_flight_limit", "Where more are refused with 503");
  metrics_.before_render([this, &ready, &connections, &bytes, &most] {
    ready.Set(readiness_.fault() ? 0 : 1);
    connections.Set(static_cast<double>(server_->connections()));
    bytes.Set(static_cast<double>(in_flight_.held()));
    most.Set(static_cast<double>(current()->config().limits.bytes_in_flight));
  });
}

}  // namespace embedrouter::apps
