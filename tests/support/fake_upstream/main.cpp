// fake-upstream: an embeddings server that goes wrong on purpose. The model name picks the fault.

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <exception>
#include <map>
#include <string>

#include "fake_upstream/dialect.h"
#include "fake_upstream/faults.h"
#include "fake_upstream/server.h"

namespace {

using namespace embedrouter::fake_upstream;

void list_as_text() {
  for (const Fault* fault : faults()) {
    fmt::print("{:<27} {:<4} {:<13} {}\n", fault->name, fault->id, word(fault->expect), fault->what);
  }
}

std::string dialects_of(const Fault& fault) {
  std::string names = "[";
  for (const Dialect* dialect : dialects()) {
    if (fault.is_of(*dialect)) names += fmt::format("{}\"{}\"", names.size() > 1 ? "," : "", dialect->name);
  }
  return names + ']';
}

void list_as_json() {
  std::string out = R"({"dialects":[)";
  for (const Dialect* dialect : dialects()) {
    out += fmt::format(R"({}{{"name":"{}","path":"{}","base_path":"{}"}})", out.ends_with('[') ? "" : ",",
                       dialect->name, dialect->path, dialect->base_path);
  }
  out += "],\n \"faults\":[";
  for (const Fault* fault : faults()) {
    out += fmt::format(R"({}{{"name":{},"id":{},"expect":{},"what":{},"dialects":{}}})",
                       out.ends_with('[') ? "" : ",\n  ", json_string(fault->name), json_string(fault->id),
                       json_string(word(fault->expect)), json_string(fault->what), dialects_of(*fault));
  }
  fmt::print("{}]}}\n", out);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Options options;
    bool list = false;
    bool as_json = false;
    CLI::App app("An embeddings server that goes wrong on purpose: the model name picks the fault");
    app.add_flag("--list", list, "Print the faults: name, case, what a caller may see, description");
    app.add_flag("--json", as_json, "With --list: as JSON, with the formats each fault is of");
    app.add_option("--port", options.port, "Port on 127.0.0.1; 0 takes a free one");
    app.add_option("--width", options.width, "Width of the vectors")->check(CLI::Range(2, 65'536));
    app.add_option("--seed", options.seed, "Of what happens in so many of a hundred requests");
    app.add_option("--log", options.log_file,
                   "Append each ended attempt to this file, one JSON object a line");
    auto* const certificate = app.add_option("--tls-cert", options.tls_cert_file, "Certificate chain, PEM");
    auto* const key = app.add_option("--tls-key", options.tls_key_file, "Private key, PEM");
    certificate->needs(key);
    key->needs(certificate);
    const std::map<std::string, Handshake> handshakes{
        {"normal", Handshake::normal}, {"stall", Handshake::stall}, {"reset", Handshake::reset}};
    app.add_option("--handshake", options.handshake,
                   "stall: accept connections and do nothing; reset: accept and reset them")
        ->transform(CLI::CheckedTransformer(handshakes));
    CLI11_PARSE(app, argc, argv);

    if (list) {
      as_json ? list_as_json() : list_as_text();
      return 0;
    }
    std::signal(SIGPIPE, SIG_IGN);
    Server server(options);
    fmt::print("listening 127.0.0.1:{}\n", server.port());
    std::fflush(stdout);
    server.run();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "fake-upstream: {}\n", error.what());
    return 1;
  }
}
