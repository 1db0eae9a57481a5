#include "fake_upstream/connection.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "fake_upstream/deliver.h"
#include "fake_upstream/faults.h"
#include "fake_upstream/http.h"
#include "fake_upstream/stream.h"
#include "fake_upstream/vectors.h"

namespace embedrouter::fake_upstream {
namespace {

Plan json_answer(int status, std::string body) {
  Plan plan;
  plan.dialect = dialects().front();
  plan.status = status;
  plan.body = std::move(body);
  return plan;
}

Plan refusal(const Dialect& dialect, int status, std::string_view code, std::string_view message) {
  Plan plan = json_answer(status, dialect.error(status, json_string(code), message));
  plan.dialect = &dialect;
  return plan;
}

// "gzip, deflate;q=0.5" → gzip, deflate
std::vector<std::string> codings_of(std::string_view accepted) {
  std::vector<std::string> codings;
  while (!accepted.empty()) {
    std::string_view one = accepted.substr(0, accepted.find(','));
    accepted.remove_prefix(std::min(one.size() + 1, accepted.size()));
    one = one.substr(0, one.find(';'));
    const std::size_t start = std::min(one.find_first_not_of(" \t"), one.size());
    one.remove_prefix(start);
    codings.emplace_back(one.substr(0, one.find_last_not_of(" \t") + 1));
  }
  return codings;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    out += escape ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return out;
}

// Where the format names no model: what stands before the path's own end, or ok.
std::string model_of(std::string_view path, const Dialect& dialect) {
  const std::string_view name = path.substr(0, path.size() - dialect.path.size());
  return name.size() > 1 ? percent_decoded(name.substr(1)) : "ok";
}

Attempt describe(const HttpRequest& http, const Dialect& dialect, const Request& request,
                 std::uint64_t connection, std::uint64_t nth) {
  Attempt attempt;
  attempt.connection = connection;
  attempt.nth_on_connection = nth;
  attempt.dialect = dialect.name;
  attempt.model = request.model;
  attempt.fault = "ok";
  attempt.items = request.texts.size();
  attempt.encoding_format = request.encoding_format;
  attempt.input_type = request.input_type;
  attempt.dimensions = request.dimensions.value_or(0);
  attempt.members = request.members;
  for (const auto& [name, value] : http.headers) attempt.headers.push_back(name);
  const std::string_view authorization = http.header("authorization");
  if (!authorization.empty()) attempt.authorization_sha256 = sha256_hex(authorization);
  return attempt;
}

Plan plan_for(Shared& shared, const Dialect& dialect, const Request& request,
              const Attempts::Started& attempt) {
  std::optional<Choice> choice = shared.behaviour.choose_for(request.model);
  if (!choice) return refusal(dialect, 404, "model_not_found", "no fault of this name; see --list");
  if (!choice->fault->is_of(dialect))
    return refusal(dialect, 404, "model_not_found", "this format has no place for the fault");
  const Space space = choice->space.value_or(Space{});
  const std::size_t width = choice->width.value_or(shared.width);
  Plan plan = right_plan(dialect, request, space, width);
  if (!choice->strikes(request.model, attempt.history.requests, shared.seed)) return plan;
  choice->fault->bend(plan, {.request = request,
                             .numbers = std::move(choice->numbers),
                             .space = space,
                             .width = width,
                             .history = attempt.history});
  shared.attempts.struck(attempt.id, choice->fault->name);
  return plan;
}

void answer_embeddings(Shared& shared, Stream& stream, const HttpRequest& http, std::string_view path,
                       const Dialect& dialect, std::uint64_t connection, std::uint64_t nth) {
  std::string why;
  std::optional<Request> request = dialect.read(http.body, why);
  if (!request) {
    deliver(stream, refusal(dialect, 400, "invalid_body", why));
    return;
  }
  if (request->model.empty()) request->model = model_of(path, dialect);
  request->codings = codings_of(http.header("accept-encoding"));
  const Attempts::Started attempt =
      shared.attempts.start(describe(http, dialect, *request, connection, nth), *request);
  const Plan plan = plan_for(shared, dialect, *request, attempt);
  const Ending ending = deliver(stream, plan, [&] { shared.attempts.answering(attempt.id); });
  shared.attempts.end(attempt.id, word(ending), plan.status);
}

// What tests and operators ask of the server itself.
Plan answer_control(Shared& shared, const HttpRequest& http, std::string_view path, std::string_view query) {
  const std::string asked = http.method + ' ' + std::string(path);
  if (asked == "GET /healthz") return json_answer(200, "{}");
  if (asked == "GET /attempts") {
    constexpr std::string_view kModel = "model=";
    const std::string model = query.starts_with(kModel) ? percent_decoded(query.substr(kModel.size())) : "";
    return json_answer(200, shared.attempts.as_json(model));
  }
  if (asked == "DELETE /attempts") {
    shared.attempts.forget();
    return json_answer(200, "{}");
  }
  if (asked == "DELETE /behaviour") {
    shared.behaviour.forget();
    return json_answer(200, shared.behaviour.as_json());
  }
  if (asked == "PUT /behaviour") {
    if (const std::string why = shared.behaviour.change(http.body); !why.empty())
      return refusal(*dialects().front(), 400, "invalid_body", why);
  }
  if (path == "/behaviour") return json_answer(200, shared.behaviour.as_json());
  return refusal(*dialects().front(), 404, "not_found", "unknown path");
}

}  // namespace

void serve_connection(Shared& shared, int fd) {
  Stream stream(fd, shared.tls.get());
  Reader reader(stream);
  const std::uint64_t connection = ++shared.connections;
  for (std::uint64_t attempts = 0; stream.ok();) {
    const std::optional<HttpRequest> http = reader.next();
    if (!http) return;
    std::string_view query = http->target;
    const std::string_view path = query.substr(0, query.find('?'));
    query.remove_prefix(std::min(path.size() + 1, query.size()));
    const Dialect* const dialect = http->method == "POST" ? dialect_of(path) : nullptr;
    if (dialect != nullptr) {
      answer_embeddings(shared, stream, *http, path, *dialect, connection, attempts++);
    } else {
      deliver(stream, answer_control(shared, *http, path, query));
    }
  }
}

}  // namespace embedrouter::fake_upstream
