#include "measure.h"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <fstream>
#include <future>
#include <memory>

namespace embedrouter::bench {
namespace {

using inference::LocalModel;
using inference::Vectors;

double process_cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double quantile(std::vector<double> values, double q) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

Result<Pass> embed_all(LocalModel& model, const std::vector<std::string>& texts) {
  const auto start = Clock::now();
  const double cpu_start = process_cpu_seconds();
  std::vector<std::future<Result<Vectors>>> batches;
  for (std::size_t i = 0; i < texts.size(); i += kBatch) {
    auto promise = std::make_shared<std::promise<Result<Vectors>>>();
    batches.push_back(promise->get_future());
    inference::Job job;
    job.texts.assign(texts.begin() + static_cast<std::ptrdiff_t>(i),
                     texts.begin() + static_cast<std::ptrdiff_t>(std::min(i + kBatch, texts.size())));
    model.submit(std::move(job),
                 [promise](Result<Vectors> vectors) { promise->set_value(std::move(vectors)); });
  }
  // All are waited for, whatever one came to: the texts are in use until then.
  std::vector<Result<Vectors>> answers;
  for (auto& batch : batches) answers.push_back(batch.get());
  Pass pass{.seconds = since(start), .cpu_seconds = process_cpu_seconds() - cpu_start, .vectors = {}};
  for (const auto& vectors : answers) {
    if (!vectors) return fail(vectors.error());
    for (const std::uint32_t tokens : vectors->tokens) pass.tokens += tokens;
    const float* rows = vectors->values.get();
    pass.vectors.insert(pass.vectors.end(), rows, rows + vectors->tokens.size() * vectors->width);
  }
  return pass;
}

std::vector<double> query_times(LocalModel& model, const std::string& query, std::size_t count) {
  std::vector<double> times;
  for (std::size_t i = 0; i < count; ++i) {
    const auto start = Clock::now();
    // Shared: the model's thread is still inside set_value() when the wait ends.
    auto answered = std::make_shared<std::promise<void>>();
    model.submit({{query}, false}, [answered](const Result<Vectors>&) { answered->set_value(); });
    answered->get_future().wait();
    times.push_back(since(start));
  }
  return times;
}

ChainShape chain_of(const inference::ModelFacts& facts) {
  return {.width = facts.width,
          .inner_width = 4 * facts.width,
          .layers = facts.layers,
          .precision = facts.precision};
}

long resident_kib(const char* member) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(member)) return std::strtol(line.c_str() + std::strlen(member) + 1, nullptr, 10);
  }
  return 0;
}

}  // namespace embedrouter::bench
