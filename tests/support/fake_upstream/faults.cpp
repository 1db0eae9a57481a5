#include "fake_upstream/faults.h"

#include <array>
#include <charconv>
#include <cstring>

#include "fake_upstream/bends.h"

namespace embedrouter::fake_upstream {
namespace {

constexpr std::size_t kMaxWidth = 65'536;

// Takes "<name>-<N>-" off the front.
std::optional<std::uint64_t> take_modifier(std::string_view name, std::string_view& model) {
  if (!model.starts_with(name) || model.substr(name.size(), 1) != "-") return std::nullopt;
  std::uint64_t number = 0;
  const std::string_view rest = model.substr(name.size() + 1);
  const auto [end, error] = std::from_chars(rest.begin(), rest.end(), number);
  if (error != std::errc{} || end == rest.end() || *end != '-') return std::nullopt;
  model = rest.substr(static_cast<std::size_t>(end - rest.begin()) + 1);
  return number;
}

// Matches `text` against a name with <N>s, collecting the numbers.
bool matches(std::string_view name, std::string_view text, std::vector<long>& numbers) {
  constexpr std::string_view kHole = "<N>";
  numbers.clear();
  while (true) {
    const std::size_t hole = name.find(kHole);
    const std::string_view literal = name.substr(0, hole);
    if (!text.starts_with(literal)) return false;
    text.remove_prefix(literal.size());
    if (hole == std::string_view::npos) return text.empty();
    name.remove_prefix(hole + kHole.size());
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    long number = 0;
    if (std::from_chars(text.begin(), text.begin() + digits, number).ec != std::errc{}) return false;
    numbers.push_back(number);
    text.remove_prefix(digits);
  }
}

const Fault* find(std::string_view text, std::vector<long>& numbers) {
  for (const Fault* fault : faults()) {
    if (matches(fault->name, text, numbers)) return fault;
  }
  return nullptr;
}

// Takes "@<space>" and "~<drift>" off the end. False if what should be a drift is none.
bool take_space(std::string_view& model, std::optional<Space>& space) {
  long drift = 0;
  if (const std::size_t tilde = model.rfind('~'); tilde != std::string_view::npos) {
    std::vector<long> number;
    if (!matches("~<N>", model.substr(tilde), number)) return false;
    drift = number[0];
    space = Space{"", drift};
    model = model.substr(0, tilde);
  }
  if (const std::size_t at = model.find('@'); at != std::string_view::npos) {
    space = Space{std::string(model.substr(at + 1)), drift};
    model = model.substr(0, at);
  }
  return true;
}

}  // namespace

std::string_view word(Expect expect) {
  constexpr std::array<std::string_view, 4> kWords{"right", "error", "either", "undetectable"};
  return kWords[static_cast<std::size_t>(expect)];
}

std::span<const Fault* const> faults() {
  static const std::vector<const Fault*> kAll = [] {
    std::vector<const Fault*> all;
    for (const auto part : {content_faults(), transport_faults(), status_faults()}) {
      for (const Fault& fault : part) all.push_back(&fault);
    }
    return all;
  }();
  return kAll;
}

bool Choice::strikes(std::string_view model, std::uint64_t nth, std::uint64_t seed) const {
  if (after && nth < *after) return false;
  if (until && nth >= *until) return false;
  if (!percent) return true;
  const std::string digits = sha256_hex(fmt::format("{}/{}/{}", seed, model, nth)).substr(0, 8);
  return std::stoul(digits, nullptr, 16) % 100 < *percent;
}

std::optional<Choice> choose(std::string_view model) {
  Choice choice;
  if (const std::size_t slash = model.rfind('/'); slash != std::string_view::npos)
    model.remove_prefix(slash + 1);
  if (!take_space(model, choice.space)) return std::nullopt;
  for (bool more = true; more;) {
    more = false;
    for (const auto& [name, place] : {std::pair{"after", &choice.after}, std::pair{"until", &choice.until},
                                      std::pair{"pct", &choice.percent}}) {
      if (*place) continue;
      *place = take_modifier(name, model);
      more = more || *place;
    }
  }
  choice.fault = find(model, choice.numbers);
  if (choice.fault != nullptr) return choice;

  std::vector<long> width;
  const std::size_t suffix = model.rfind("-d");
  if (suffix == std::string_view::npos || !matches("-d<N>", model.substr(suffix), width)) return std::nullopt;
  choice.width = static_cast<std::size_t>(width[0]);
  choice.fault = find(model.substr(0, suffix), choice.numbers);
  if (choice.fault == nullptr || *choice.width < 2 || *choice.width > kMaxWidth) return std::nullopt;
  return choice;
}

}  // namespace embedrouter::fake_upstream
