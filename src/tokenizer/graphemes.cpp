// Extended grapheme clusters, Unicode Standard Annex 29. Flags (regional indicators) are not paired: a
// cluster with one is too long to be looked up whole.
#include "tokenizer/precompiled.h"
#include "tokenizer/unicode.h"

namespace embedrouter::tokenizer {
namespace {

using enum unicode::Grapheme;
using unicode::Grapheme;

bool extends(Grapheme g) noexcept {
  return g == extend || g == extend_conjunct || g == linker || g == joiner;
}

// What the rules need to know of the cluster so far.
struct Cluster {
  Grapheme last;
  bool pictograph;      // ends with a pictograph and characters that extend it
  bool consonant;       // ends with a consonant and what a conjunct may hold
  bool linked = false;  // and a linker is among that

  explicit Cluster(Grapheme first)
      : last(first), pictograph(first == Grapheme::pictograph), consonant(first == Grapheme::consonant) {}

  void add(Grapheme g) noexcept {
    // Nothing comes between the joiner and the next pictograph.
    pictograph = g == Grapheme::pictograph || (pictograph && extends(g) && last != joiner);
    if (g == Grapheme::consonant) {
      consonant = true;
      linked = false;
    } else if (g == linker) {
      linked = consonant;
    } else if (g != extend_conjunct && g != joiner) {
      consonant = linked = false;
    }
    last = g;
  }

  bool goes_on_with(Grapheme g) const noexcept {
    if (last == control || g == control) return false;
    if (extends(g) || g == spacing_mark || last == prepend) return true;
    if (g == Grapheme::consonant) return linked;
    if (g == Grapheme::pictograph) return pictograph && last == joiner;
    if (last == hangul_l) return g == hangul_l || g == hangul_v || g == hangul_lv || g == hangul_lvt;
    if (last == hangul_v || last == hangul_lv) return g == hangul_v || g == hangul_t;
    return (last == hangul_t || last == hangul_lvt) && g == hangul_t;
  }
};

}  // namespace

std::size_t cluster_length(std::string_view text) noexcept {
  if (text.starts_with("\r\n")) return 2;
  const char* at = text.data();
  const char* const end = at + text.size();
  Cluster cluster(unicode::properties(unicode::next_code_point(at)).grapheme);
  while (at != end) {
    const char* next = at;
    const Grapheme g = unicode::properties(unicode::next_code_point(next)).grapheme;
    if (!cluster.goes_on_with(g)) break;
    cluster.add(g);
    at = next;
  }
  return static_cast<std::size_t>(at - text.data());
}

}  // namespace embedrouter::tokenizer
