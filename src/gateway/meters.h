#pragma once
// What a Gateway counts. Names and help are listed in docs/metrics.md.

#include <array>
#include <map>
#include <string>
#include <utility>

#include "base/metrics.h"
#include "gateway/gateway.h"

namespace embedrouter::gateway {

struct Gateway::Meters {
  explicit Meters(Metrics& metrics)
      : tokens(metrics.counter("embedrouter_prompt_tokens_total", "Tokens of answered requests")),
        items(metrics.counter("embedrouter_inputs_total", "Inputs of answered requests")),
        cancelled(metrics.counter("embedrouter_requests_cancelled_total",
                                  "Requests whose client left before the answer")),
        under_way(metrics.gauge("embedrouter_requests_in_progress", "Requests under way")),
        request_bytes(metrics.counter("embedrouter_request_body_bytes_total",
                                      "Bytes of request bodies read, compression taken off")),
        response_bytes(metrics.counter("embedrouter_response_body_bytes_total", "Bytes of response bodies")),
        seconds(metrics.histogram("embedrouter_request_duration_seconds",
                                  "Time from the headers to the answer of embedding requests",
                                  Metrics::latency_bounds())),
        read(stage(metrics, "read_body")),
        decode(stage(metrics, "decode")),
        queue(stage(metrics, "queue")),
        inference(stage(metrics, "inference")),
        upstream(stage(metrics, "upstream")),
        gate(stage(metrics, "gate")),
        encode(stage(metrics, "encode")),
        metrics_(metrics) {}

  Counter& requests(const std::string& operation, int status) {
    Counter*& counter = by_outcome_[{operation, status}];
    if (counter == nullptr) {
      counter = &metrics_.counter("embedrouter_requests_total", "Requests answered, by operation and status",
                                  {{"operation", operation}, {"status", std::to_string(status)}});
    }
    return *counter;
  }
  Counter& errors(ErrorCode code) {
    Counter*& counter = by_error_[static_cast<std::size_t>(code)];
    if (counter == nullptr) {
      counter = &metrics_.counter("embedrouter_errors_total", "Error answers by code",
                                  {{"code", std::string(traits(code).name)}});
    }
    return *counter;
  }

  Counter& tokens;
  Counter& items;
  Counter& cancelled;
  Gauge& under_way;
  Counter& request_bytes;
  Counter& response_bytes;
  Histogram& seconds;
  Histogram& read;
  Histogram& decode;
  Histogram& queue;
  Histogram& inference;
  Histogram& upstream;
  Histogram& gate;
  Histogram& encode;

 private:
  static Histogram& stage(Metrics& metrics, const char* name) {
    return metrics.histogram("embedrouter_stage_duration_seconds",
                             "Time of embedding requests by stage, summed over a request's attempts",
                             Metrics::latency_bounds(), {{"stage", name}});
  }

  Metrics& metrics_;
  std::map<std::pair<std::string, int>, Counter*> by_outcome_;
  std::array<Counter*, kErrorCodeCount> by_error_{};
};

}  // namespace embedrouter::gateway
