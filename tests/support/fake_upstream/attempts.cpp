#include "fake_upstream/attempts.h"

#include <fmt/format.h>

#include <algorithm>
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
      R"({{"id":{},"at":{:.6f},"ended_at":{:.6f},"state":{},"status":{},"dialect":{},"model":{},"fault":{},)"
      R"("items":{},"encoding_format":{},"dimensions":{},"input_type":{},"members":{},"headers":{},)"
      R"("authorization_sha256":{},"connection":{},"nth_on_connection":{}}})",
      a.id, a.at, a.ended_at, json_string(a.state), a.status, json_string(a.dialect), json_string(a.model),
      json_string(a.fault), a.items, json_string(a.encoding_format), a.dimensions, json_string(a.input_type),
      json_list(a.members), json_list(a.headers), json_string(a.authorization_sha256), a.connection,
      a.nth_on_connection);
}

}  // namespace

Attempts::Attempts(const std::string& log_file) {
  if (!log_file.empty()) log_.open(log_file, std::ios::app);
}

History Attempts::advance(PerModel& model, const std::string& key, std::uint64_t tokens) {
  const auto time = Clock::now();
  if (model.requests == 0) {
    model.first = time;
    model.first_key = key;
  }
  while (!model.last_second.empty() && time - model.last_second.front().first > std::chrono::seconds(1))
    model.last_second.pop_front();
  History history;
  history.requests = model.requests++;
  history.open = model.open++;
  history.last_second = model.last_second.size();
  for (const auto& [when, before] : model.last_second) history.tokens_last_second += before;
  history.since_first = std::chrono::duration<double>(time - model.first).count();
  history.first_key = key == model.first_key;
  model.last_second.emplace_back(time, tokens);
  return history;
}

Attempts::Started Attempts::start(Attempt attempt, const Request& request) {
  std::string asked = request.model;
  for (const std::string& text : request.texts) asked.append(1, '\0').append(text);
  asked = sha256_hex(asked);

  const std::lock_guard lock(mutex_);
  attempt.id = next_id_++;
  attempt.at = now();
  Started started;
  started.id = attempt.id;
  started.history =
      advance(models_[request.model], attempt.authorization_sha256, plausible_tokens(request.texts));
  started.history.repeated = !seen_.insert(std::move(asked)).second;
  started.history.reused_connection = attempt.nth_on_connection > 0;
  kept_.push_back(std::move(attempt));
  if (kept_.size() > kKept) kept_.pop_front();
  return started;
}

Attempt* Attempts::find(std::uint64_t id) {
  const auto found = std::ranges::lower_bound(kept_, id, {}, &Attempt::id);
  return found != kept_.end() && found->id == id ? &*found : nullptr;
}

void Attempts::struck(std::uint64_t id, std::string_view fault) {
  const std::lock_guard lock(mutex_);
  if (Attempt* const attempt = find(id)) attempt->fault = fault;
}

void Attempts::answering(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  if (Attempt* const attempt = find(id)) leave(*attempt);
}

void Attempts::leave(Attempt& attempt) {
  const auto model = models_.find(attempt.model);
  if (std::exchange(attempt.in_flight, false) && model != models_.end() && model->second.open > 0)
    --model->second.open;
}

void Attempts::end(std::uint64_t id, std::string_view state, int status) {
  const std::lock_guard lock(mutex_);
  Attempt* const attempt = find(id);
  if (attempt == nullptr) return;
  attempt->ended_at = now();
  attempt->state = state;
  attempt->status = status;
  leave(*attempt);
  if (log_.is_open()) log_ << json(*attempt) << '\n' << std::flush;
}

std::string Attempts::as_json(std::string_view model) const {
  const std::lock_guard lock(mutex_);
  std::string out = R"({"attempts":[)";
  for (const Attempt& attempt : kept_) {
    if (!model.empty() && attempt.model != model) continue;
    if (!out.ends_with('[')) out += ',';
    out += json(attempt);
  }
  return out += "]}";
}

void Attempts::forget() {
  const std::lock_guard lock(mutex_);
  kept_.clear();
  models_.clear();
  seen_.clear();
}

}  // namespace embedrouter::fake_upstream
