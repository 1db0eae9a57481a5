#pragma once
// The texts of tests/golden and what the reference makes of them.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <simdjson.h>

namespace embedrouter::tokenizer {

inline std::string golden_path(const std::string& name) {
  return EMBEDROUTER_SOURCE_DIR "/tests/golden/" + name;
}

// Calls `use` with each line of a golden file, a JSON document.
template <class Use>
void each_line(const std::string& name, Use use) {
  simdjson::padded_string file;
  ASSERT_EQ(simdjson::padded_string::load(golden_path(name)).get(file), simdjson::SUCCESS)
      << name << " is missing";
  simdjson::dom::parser parser;
  for (std::string_view rest = file; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    simdjson::dom::element element;
    ASSERT_EQ(parser.parse(std::string(line)).get(element), simdjson::SUCCESS) << line.substr(0, 80);
    use(element);
  }
}

inline std::vector<std::string> golden_texts() {
  std::vector<std::string> texts;
  each_line("texts.jsonl", [&texts](simdjson::dom::element line) {
    std::string_view text;
    ASSERT_EQ(line.get(text), simdjson::SUCCESS);
    texts.emplace_back(text);
  });
  EXPECT_EQ(texts.size(), 1000U);
  return texts;
}

}  // namespace embedrouter::tokenizer
