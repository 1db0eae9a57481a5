#include "tokenizer/metaspace.h"

#include "tokenizer/scratch.h"
#include "tokenizer/unicode.h"

namespace embedrouter::tokenizer {

void Metaspace::cut(std::string_view text, PieceSink& sink) const {
  if (text.empty()) return;
  const std::string& mark = options_.replacement;
  Scratch<> marked;
  if (options_.prepend && text[0] != ' ' && !text.starts_with(mark)) *marked = mark;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find(' '), text.size());
    marked->append(text.substr(0, length));
    text.remove_prefix(length);
    if (text.empty()) break;
    *marked += mark;
    text.remove_prefix(1);
  }
  std::string_view rest = *marked;
  if (!options_.split) return sink.take(rest);
  while (!rest.empty()) {
    const std::size_t length =
        std::min(rest.find(mark, rest.starts_with(mark) ? mark.size() : 0), rest.size());
    sink.take(rest.substr(0, length));
    rest.remove_prefix(length);
  }
}

void WhitespaceSplit::cut(std::string_view text, PieceSink& sink) const {
  const char* at = text.data();
  const char* const end = at + text.size();
  const char* start = at;
  while (at != end) {
    const char* const here = at;
    if (!(unicode::properties(unicode::next_code_point(at)).flags & unicode::kWhitespace)) continue;
    if (start != here) sink.take({start, static_cast<std::size_t>(here - start)});
    start = at;
  }
  if (start != end) sink.take({start, static_cast<std::size_t>(end - start)});
}

void PreTokenizerSequence::cut_from(std::size_t stage, std::string_view text, PieceSink& sink) const {
  if (stage + 1 == all_.size()) return all_[stage]->cut(text, sink);
  struct Next final : PieceSink {
    Next(const PreTokenizerSequence& s, std::size_t n, PieceSink& to) : sequence(s), stage(n), sink(to) {}
    void take(std::string_view piece) override { sequence.cut_from(stage, piece, sink); }
    const PreTokenizerSequence& sequence;
    const std::size_t stage;
    PieceSink& sink;
  };
  Next next(*this, stage + 1, sink);
  all_[stage]->cut(text, next);
}

}  // namespace embedrouter::tokenizer
