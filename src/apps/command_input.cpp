#include "apps/command_input.h"

#include <fstream>
#include <iostream>
#include <utility>

#include "base/json_text.h"

namespace embedrouter::apps {
namespace {

void read_lines(std::istream& in, std::vector<std::string>& texts) {
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) texts.push_back(std::move(line));
  }
}

}  // namespace

Result<std::vector<std::string>> read_texts(const std::vector<std::string>& named,
                                            const std::vector<std::string>& files) {
  std::vector<std::string> texts;
  for (const std::string& text : named) {
    if (text == "-") {
      read_lines(std::cin, texts);
    } else {
      texts.push_back(text);
    }
  }
  for (const std::string& name : files) {
    std::ifstream file(name);
    if (!file) return fail(ErrorCode::invalid_request, "cannot read " + name);
    read_lines(file, texts);
  }
  if (named.empty() && files.empty()) read_lines(std::cin, texts);
  if (texts.empty())
    return fail(ErrorCode::invalid_request, "no text to embed: name some, or pipe in one a line");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].empty()) return fail(ErrorCode::invalid_request, "text " + std::to_string(i) + " is empty");
    if (!is_utf8(texts[i]))
      return fail(ErrorCode::invalid_request, "text " + std::to_string(i) + " is not UTF-8");
  }
  return texts;
}

}  // namespace embedrouter::apps
