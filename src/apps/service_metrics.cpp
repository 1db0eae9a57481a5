// Gauges and totals that are read from the running parts when /metrics is asked.

#include "apps/health_watch.h"
#include "apps/service.h"
#include "base/process_metrics.h"

namespace embedrouter::apps {
namespace {

void watch_model(Metrics& metrics, const inference::LocalModel& model) {
  Gauge& jobs = metrics.gauge("embedrouter_queue_requests", "Requests that wait for the embedded model");
  Gauge& texts = metrics.gauge("embedrouter_queue_inputs", "Inputs that wait for the embedded model");
  Gauge& tokens = metrics.gauge("embedrouter_queue_tokens", "Tokens that wait for the embedded model");
  Counter& batches = metrics.counter("embedrouter_batches_total", "Batches the embedded model ran");
  Counter& batch_texts = metrics.counter("embedrouter_batch_inputs_total", "Inputs in those batches");
  Counter& batch_tokens =
      metrics.counter("embedrouter_batch_tokens_total",
                      "Tokens in those batches; over batches times capacity, this is how full they were");
  metrics.gauge("embedrouter_batch_capacity_tokens", "Tokens that a full batch holds")
      .Set(static_cast<double>(model.batch_capacity()));
  metrics.before_render([=, &model, &jobs, &texts, &tokens, &batches, &batch_texts, &batch_tokens] {
    const inference::LocalModel::Load load = model.load_now();
    jobs.Set(static_cast<double>(load.queued_jobs));
    texts.Set(static_cast<double>(load.queued_texts));
    tokens.Set(static_cast<double>(load.queued_tokens));
    advance(batches, static_cast<double>(load.batches));
    advance(batch_texts, static_cast<double>(load.texts));
    advance(batch_tokens, static_cast<double>(load.batch_tokens));
  });
}

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

void Service::watch_gauges() {
  watch_process(metrics_);
  watch_health(metrics_, endpoints_, clock_);
  if (model_) watch_model(metrics_, *model_);
  if (keys_) watch_keys(metrics_, *keys_);
  const std::string precision = model_ ? model_->facts().precision : "none";
  metrics_
      .gauge("embedrouter_build_info", "Always 1; the labels say what runs",
             {{"version", EMBEDROUTER_VERSION}, {"precision", precision}})
      .Set(1);
  Gauge& ready = metrics_.gauge("embedrouter_ready", "1 if GET /readyz answers 200, else 0");
  Gauge& connections = metrics_.gauge("embedrouter_connections", "Open connections of clients");
  Gauge& bytes = metrics_.gauge("embedrouter_body_bytes_in_flight",
                                "Bytes of request bodies that are held or on their way");
  metrics_.gauge("embedrouter_body_bytes_in_flight_limit", "Where more are refused with 503")
      .Set(static_cast<double>(config_.limits.bytes_in_flight));
  metrics_.before_render([this, &ready, &connections, &bytes] {
    ready.Set(readiness_->fault() ? 0 : 1);
    connections.Set(static_cast<double>(server_->connections()));
    bytes.Set(static_cast<double>(in_flight_.held()));
  });
}

}  // namespace embedrouter::apps
