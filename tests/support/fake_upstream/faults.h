#pragma once
// The table of faults. The model name picks one, so a fault travels through any gateway that lets the name
// through:
//
//   [author/][after-<N>-|until-<N>-|pct-<N>-]fault[-d<width>][@<space>][~<drift>]
//
//   ok   reverse   ok-d768   nan@space2   openai/delay-300ms   after-80-nan   pct-10-zero-vector@a   ok@a~200
//
// `<N>` in a name stands for a number. The modifiers confine a fault: after-80-nan is right for the first 80
// requests for it, until-80-nan from then on, and pct-10-nan in 90 of 100, by the seed. Two spaces give the
// same text different vectors, and a drift turns those of one a little (vectors.h).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fake_upstream/dialect.h"
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

// What is known of the requests for one model since the last reset, this one not counted.
struct History {
  std::uint64_t requests = 0;
  std::uint64_t open = 0;  // under way now
  std::uint64_t last_second = 0;
  std::uint64_t tokens_last_second = 0;
  double since_first = 0;          // seconds
  bool repeated = false;           // the model was asked for these texts before
  bool first_key = true;           // with the Authorization of its first request
  bool reused_connection = false;  // an earlier request was answered on this connection
};

// What a fault may depend on.
struct Circumstances {
  const Request& request;
  std::vector<long> numbers;  // what stood for the <N>s
  Space space;
  std::size_t width = 0;  // of vectors where the request asks for none
  History history;
};

struct Fault {
  std::string_view name;
  std::string_view id;  // of the case in the catalogue of faults; "-" for none
  Expect expect;
  std::string_view what;  // one line
  void (*bend)(Plan&, const Circumstances&);
  std::uint8_t needs = 0;  // of Feature

  bool is_of(const Dialect& dialect) const { return (needs & ~dialect.features) == 0; }
};
// All rows: wrong content, transport, statuses and limits.
std::span<const Fault* const> faults();

// What a name says. Width and space are those of the name, or nothing where it has none.
struct Choice {
  const Fault* fault = nullptr;
  std::vector<long> numbers;
  std::optional<Space> space;
  std::optional<std::size_t> width;
  std::optional<std::uint64_t> after, until, percent;

  // Whether the fault strikes the request number `nth` for the model, counted from 0.
  bool strikes(std::string_view model, std::uint64_t nth, std::uint64_t seed) const;
};
// Nothing if no row has this name.
std::optional<Choice> choose(std::string_view model);

}  // namespace embedrouter::fake_upstream
