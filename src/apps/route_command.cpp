#include "apps/route_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "api/explanation.h"
#include "apps/command_input.h"
#include "apps/common.h"
#include "apps/router_client.h"
#include "base/json_text.h"
#include "catalog/catalog.h"

namespace embedrouter::apps {
namespace {

struct Options : RouterOptions {
  std::vector<std::string> texts, files;
  std::string model = std::string(catalog::kEmbeddedAlias);
  std::string provider;
  bool explain = false;
};

using Row = std::array<std::string, 9>;

// "0.9500" → "95.0 %"; "-" for nothing.
std::string in_percent(const std::string& share) {
  return share.empty() ? "-" : fmt::format("{:.1f} %", std::strtod(share.c_str(), nullptr) * 100);
}
std::string rounded(const std::string& number, const char* unit) {
  return number.empty() ? "-" : fmt::format("{:.0f} {}", std::strtod(number.c_str(), nullptr), unit);
}

// "ejected 4 s"; what is to prove itself by one request is half open.
std::string health_of(const api::ExplanationRow& row) {
  const std::string& name = row.state == "half_open" ? row.state : row.standing;
  return row.seconds_left.empty() ? name : name + " " + rounded(row.seconds_left, "s");
}

Row shown(const api::ExplanationRow& row) {
  return {row.place.empty() ? "-" : row.place,
          in_percent(row.share),
          row.id,
          health_of(row),
          rounded(row.latency_ms, "ms"),
          row.failures,
          row.rate_limited,
          row.calls,
          "$" + row.price};
}

Result<void> print(std::string_view body) {
  auto decoded = api::decode_explanation(body);
  if (!decoded) return fail(std::move(decoded).error());
  const api::ExplanationSummary& told = *decoded;
  std::cout << told.model << ", by " << told.strategy << ", " << told.items
            << (told.items == "1" ? " input" : " inputs");
  if (!told.space.empty()) std::cout << ", in space " << told.space;
  std::cout << "\n\n";
  std::vector<Row> table{
      {"PLACE", "SHARE", "ENDPOINT", "HEALTH", "MEDIAN", "FAILED", "429", "CALLS", "PER TOKEN"}};
  for (const api::ExplanationRow& row : told.rows) table.push_back(shown(row));
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const Row& row : table) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (std::size_t at = 0; at < table.size(); ++at) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) line += fmt::format("{:<{}}  ", table[at][i], widths[i]);
    line.resize(line.find_last_not_of(' ') + 1);
    std::cout << line << '\n';
    if (at == 0 || told.rows[at - 1].dropped_by.empty()) continue;
    const api::ExplanationRow& dropped = told.rows[at - 1];
    std::cout << "       out by " << dropped.dropped_by;
    if (!dropped.why.empty()) std::cout << ": " << dropped.why;
    std::cout << '\n';
  }
  if (!told.fault.empty()) std::cout << "\nIt would fail: " << told.fault << '\n';
  return {};
}

// `provider`: a JSON object as it stands; empty: none.
std::string embeddings_body(std::string_view model, const std::vector<std::string>& texts,
                            std::string_view provider) {
  std::string body = R"({"input":[)";
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i != 0) body += ',';
    append_json_string(body, texts[i]);
  }
  body += R"(],"model":)";
  append_json_string(body, model);
  if (!provider.empty()) body.append(R"(,"provider":)").append(provider);
  return body += '}';
}

int explain(const Options& options) {
  auto config = load(options.where, std::cerr);
  auto texts = config ? read_texts(options.texts, options.files) : fail(config.error());
  if (!texts) {
    std::cerr << texts.error().message() << "\n";
    return kUsage;
  }
  if (!options.provider.empty() && !is_json_object(options.provider)) {
    std::cerr << "--provider takes a JSON object, as in {\"only\": [\"openai\"]}\n";
    return kUsage;
  }
  std::string body = embeddings_body(options.model, *texts, options.provider);
  return ask(options, *config, {"POST", "/embeddings/explain", std::move(body)}, print);
}

}  // namespace

void add_route_command(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand(
      "route", "Tell where a running router would send a request and why; nothing is sent");
  auto options = std::make_shared<Options>();
  command->add_option("texts", options->texts, "Texts; - reads them from standard input, one a line");
  command->add_flag("--explain", options->explain, "Every endpoint: kept or dropped, its share, its health")
      ->required();
  command->add_option("--file", options->files, "File of texts, one a line; may be repeated")
      ->type_name("FILE");
  command->add_option("--model", options->model, "Model or alias")->capture_default_str();
  command->add_option("--provider", options->provider, "The `provider` member of the request, in JSON")
      ->type_name("JSON");
  add_router_options(*command, *options);
  command->callback([=, &run] { run = [=] { return explain(*options); }; });
}

}  // namespace embedrouter::apps
