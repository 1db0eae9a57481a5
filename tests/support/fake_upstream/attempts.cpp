#include "fake_upstream/attempts.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "fake_upstream/vectors.h"

namespace embedrouter::fake_upstream {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string json_list(const std::vector<std::string>& strings) {
  std::string out = "[";
  for (const std::string& text : strings) {
    if (out.size() > 1) out += ',';
    out += json_string(text);
  }
  return out += ']';
}

std::string json(const Attempt& a) {
  return fmt::format(
      R"({{"id":{},"at":{:.6f},"ended_at":{:.6f},"state":{},"status":{},"model":{},"items":{},)"
      R"("encoding_format":{},"dimensions":{},"input_type":{},"members":{},"headers":{},)"
      R"("authorization_sha256":{},"connection":{},"nth_on_connection":{}}})",
      a.id, a.at, a.ended_at, json_string(a.state), a.status, json_string(a.model), a.items,
      json_string(a.encoding_format), a.dimensions, json_string(a.input_type), json_list(a.members),
      json_list(a.headers), json_string(a.authorization_sha256), a.connection, a.nth_on_connection);
}

}  // namespace

Attempts::Attempts(const std::string& log_file) {
  if (!log_file.empty()) log_.open(log_file, std::ios::app);
}

Attempts::Started Attempts::start(Attempt attempt, const Request& request) {
  std::string asked = request.model;
  for (const std::string& text : request.texts) asked.append(1, '\0').append(text);
  asked = sha256_hex(asked);

  const std::lock_guard lock(mutex_);
  attempt.id = next_id_++;
  attempt.at = now();
  Started started{.id = attempt.id,
                  .nth_of_model = per_model_[request.model]++,
                  .repeated = !seen_.insert(std::move(asked)).second};
  kept_.push_back(std::move(attempt));
  if (kept_.size() > kKept) kept_.pop_front();
  return started;
}

void Attempts::end(std::uint64_t id, std::string_view state, int status) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::lower_bound(kept_, id, {}, &Attempt::id);
  if (found == kept_.end() || found->id != id) return;
  found->ended_at = now();
  found->state = state;
  found->status = status;
  if (log_.is_open()) log_ << json(*found) << '\n' << std::flush;
}

std::string Attempts::as_json() const {
  const std::lock_guard lock(mutex_);
  std::string out = R"({"attempts":[)";
  for (const Attempt& attempt : kept_) {
    if (!out.ends_with('[')) out += ',';
    out += json(attempt);
  }
  return out += "]}";
}

void Attempts::forget() {
  const std::lock_guard lock(mutex_);
  kept_.clear();
  per_model_.clear();
  seen_.clear();
}

}  // namespace embedrouter::fake_upstream
