#pragma once
// The table of faults. The model name picks one, so a fault travels through any gateway that lets the name
// through:
//
//   [author/][after-<N>-]fault[-d<width>][@<space>]   ok   reverse   ok-d768   nan@space2 openai/delay-300ms
//
// `<N>` in a name stands for a number. Two spaces give the same text different vectors. `after-80-nan` is
// right for its first 80 requests.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fake_upstream/plan.h"

namespace embedrouter::fake_upstream {

// What a router with this server as its only upstream owes its caller, given texts that differ.
enum class Expect : std::uint8_t {
  right,         // 200 with the right vectors
  error,         // an error; never a 200
  either,        // an error, or a 200 with the right vectors
  undetectable,  // wrong, and a single answer cannot show it: for canaries and probes
};
std::string_view word(Expect expect);

// What a fault may depend on besides the request.
struct Circumstances {
  const Request& request;
  std::vector<long> numbers;  // what stood for the <N>s
  std::string space;
  std::size_t width = 0;           // of vectors where the request asks for none
  std::uint64_t nth_of_model = 0;  // 0-based: earlier requests for this model since the last reset
  bool repeated = false;           // this model was asked for these texts before
  bool reused_connection = false;  // an earlier request was answered on this connection
};

struct Fault {
  std::string_view name;
  std::string_view id;  // of the case in the catalogue of faults; "-" for none
  Expect expect;
  std::string_view what;  // one line
  void (*bend)(Plan&, const Circumstances&);
};
std::span<const Fault> faults();

struct Choice {
  const Fault* fault = nullptr;
  std::vector<long> numbers;
  std::string space;
  std::size_t width = 0;
  std::uint64_t after = 0;  // so many requests for the model are answered rightly first
};
// Nothing if no row has this name.
std::optional<Choice> choose(std::string_view model, std::size_t default_width);

}  // namespace embedrouter::fake_upstream
