#pragma once
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace embedrouter {

using Counter = prometheus::Counter;
using Gauge = prometheus::Gauge;
using Histogram = prometheus::Histogram;
using Labels = std::map<std::string, std::string>;

// Names begin with embedrouter_; units are in the name (_seconds, _bytes, _tokens); counters end in _total.
// Look a metric up once and keep the reference, which lives as long as the Metrics. Thread-safe. Made by main
// and passed down.
class Metrics {
 public:
  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  // `bounds`: upper bounds of the buckets, ascending.
  Histogram& histogram(const std::string& name, const std::string& help, const std::vector<double>& bounds,
                       const Labels& labels = {});
  // Called before each render(), one at a time: sets what is read rather than counted. What it refers to
  // outlives every render().
  void before_render(std::function<void()> read);
  // The Prometheus text format, version 0.0.4.
  std::string render();

  // Seconds from 0.1 ms to 60 s, for latencies.
  static const std::vector<double>& latency_bounds();

 private:
  prometheus::Registry registry_;
  std::mutex reading_;
  std::vector<std::function<void()>> readers_;
};

// Takes a counter forward to a total that is kept elsewhere.
inline void advance(Counter& counter, double total) {
  if (total > counter.Value()) counter.Increment(total - counter.Value());
}

}  // namespace embedrouter
