#include "catalog/section.h"

#include <algorithm>

#include "catalog/values.h"

namespace embedrouter::catalog {
namespace {

std::string_view kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::date:
      return "a date";
    case toml::node_type::time:
      return "a time";
    case toml::node_type::date_time:
      return "a date and time";
    case toml::node_type::none:
      break;
  }
  return "nothing";
}

std::string quoted_list(const std::vector<std::string_view>& words) {
  std::string list;
  for (const std::string_view word : words) {
    if (!list.empty()) list += word == words.back() ? " or " : ", ";
    list += '"' + std::string(word) + '"';
  }
  return list;
}

std::string range(std::string_view least, std::string_view most) {
  return "from " + std::string(least) + " to " + std::string(most);
}

std::string range(std::int64_t least, std::int64_t most) {
  return range(std::to_string(least), std::to_string(most));
}

std::string in_words(std::chrono::milliseconds duration) {
  const auto ms = duration.count();
  if (ms % 3'600'000 == 0) return std::to_string(ms / 3'600'000) + "h";
  if (ms % 60'000 == 0) return std::to_string(ms / 60'000) + "m";
  return ms % 1'000 == 0 ? std::to_string(ms / 1'000) + "s" : std::to_string(ms) + "ms";
}

std::string in_words(std::uint64_t bytes) {
  if (bytes % (1U << 30) == 0) return std::to_string(bytes >> 30) + "GiB";
  if (bytes % (1U << 20) == 0) return std::to_string(bytes >> 20) + "MiB";
  return bytes % (1U << 10) == 0 ? std::to_string(bytes >> 10) + "KiB" : std::to_string(bytes);
}

}  // namespace

const toml::node* Section::take(std::string_view key) {
  known_.push_back(key);
  return table_ == nullptr ? nullptr : table_->get(key);
}

std::uint32_t Section::line_of(std::string_view key) const noexcept {
  const toml::node* node = table_ == nullptr ? nullptr : table_->get(key);
  return node == nullptr ? line() : node->source().begin.line;
}

void Section::fault_at(std::uint32_t line, std::string_view key, const std::string& message) {
  faults_->push_back({line, where_ + (where_.empty() ? "" : " ") + std::string(key) + ": " + message});
}

void Section::wrong_type(std::string_view key, std::string_view expected, const toml::node& found,
                         std::string_view hint) {
  std::string message = "expected " + std::string(expected) + ", found " + std::string(kind_of(found));
  if (!hint.empty()) message += "; " + std::string(hint);
  fault_at(found.source().begin.line, key, message);
}

std::optional<std::string> Section::text(std::string_view key) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_string();
  if (value == nullptr) {
    wrong_type(key, "a string", *node, node->is_value() ? "put it in quotes" : "");
    return std::nullopt;
  }
  return value->get();
}

std::optional<std::string> Section::choice(std::string_view key,
                                           const std::vector<std::string_view>& allowed) {
  auto value = text(key);
  if (!value || std::ranges::find(allowed, *value) != allowed.end()) return value;
  std::string message = "expected " + quoted_list(allowed);
  if (const std::string_view meant = nearest(*value, allowed); !meant.empty()) {
    message += "; did you mean \"" + std::string(meant) + "\"?";
  }
  fault(key, message);
  return std::nullopt;
}

void Section::flag(std::string_view key, bool& out) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  if (const auto* value = node->as_boolean()) {
    out = value->get();
  } else {
    wrong_type(key, "true or false", *node, node->is_string() ? "write it without quotes" : "");
  }
}

std::optional<std::int64_t> Section::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_integer();
  if (value == nullptr) {
    wrong_type(key, "an integer " + range(least, most), *node,
               node->is_string() ? "write it without quotes" : "");
    return std::nullopt;
  }
  if (value->get() < least || value->get() > most) {
    fault(key, "expected an integer " + range(least, most));
    return std::nullopt;
  }
  return value->get();
}

void Section::number(std::string_view key, double& out, double least, double most) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  const auto value = node->is_number() ? node->value<double>() : std::nullopt;
  const auto text = [](double limit) {
    std::string digits = std::to_string(limit);
    digits.erase(digits.find_last_not_of('0') + 1);
    return digits.ends_with('.') ? digits + "0" : digits;
  };
  const std::string expected = "a number from " + text(least) + " to " + text(most);
  if (!value) {
    wrong_type(key, expected, *node, node->is_string() ? "write it without quotes" : "");
  } else if (!(*value >= least && *value <= most)) {
    fault(key, "expected " + expected);
  } else {
    out = *value;
  }
}

void Section::duration(std::string_view key, std::chrono::milliseconds& out, std::chrono::milliseconds least,
                       std::chrono::milliseconds most) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  const auto* value = node->as_string();
  if (value == nullptr) {
    wrong_type(key, "a duration with its unit, such as \"30s\"", *node,
               "write \"500ms\", \"30s\", \"5m\" or \"2h\"");
    return;
  }
  const auto duration = parse_duration(value->get());
  if (!duration) {
    fault(key, "expected a whole number and a unit, such as \"500ms\", \"30s\", \"5m\" or \"2h\"");
  } else if (*duration < least || *duration > most) {
    fault(key, "expected a duration " + range(in_words(least), in_words(most)));
  } else {
    out = *duration;
  }
}

void Section::bytes(std::string_view key, std::size_t& out, std::uint64_t least, std::uint64_t most) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  std::optional<std::uint64_t> size;
  if (const auto* number = node->as_integer()) {
    if (number->get() >= 0) size = static_cast<std::uint64_t>(number->get());
  } else if (const auto* value = node->as_string()) {
    size = parse_bytes(value->get());
    if (!size) {
      fault(key, "expected bytes as an integer, or a whole number with KiB, MiB or GiB, such as \"32MiB\"");
      return;
    }
  } else {
    wrong_type(key, "bytes as an integer or a string such as \"32MiB\"", *node);
    return;
  }
  if (!size || *size < least || *size > most) {
    fault(key, "expected a size " + range(in_words(least), in_words(most)));
  } else {
    out = static_cast<std::size_t>(*size);
  }
}

std::vector<Section::Item<std::string>> Section::texts(std::string_view key) {
  std::vector<Item<std::string>> items;
  const toml::node* node = take(key);
  if (node == nullptr) return items;
  const auto* array = node->as_array();
  if (array == nullptr) {
    wrong_type(key, "an array of strings", *node, node->is_string() ? "put it in brackets" : "");
    return items;
  }
  for (const toml::node& element : *array) {
    if (const auto* value = element.as_string()) {
      items.push_back({value->get(), element.source().begin.line});
    } else {
      wrong_type(key, "an array of strings", element);
    }
  }
  return items;
}

std::vector<Section::Item<std::string>> Section::one_or_more(std::string_view key) {
  const toml::node* node = take(key);
  if (node == nullptr) return {};
  std::vector<Item<std::string>> items;
  if (const auto* value = node->as_string()) {
    items.push_back({value->get(), node->source().begin.line});
  } else if (!node->is_array()) {
    wrong_type(key, "a string or an array of strings", *node);
    return {};
  } else {
    items = texts(key);
    if (node->as_array()->empty()) fault(key, "is an empty list; name one or remove it");
  }
  return items;
}

std::vector<Section::Item<std::int64_t>> Section::integers(std::string_view key, std::int64_t least,
                                                           std::int64_t most) {
  std::vector<Item<std::int64_t>> items;
  const toml::node* node = take(key);
  if (node == nullptr) return items;
  const auto* array = node->as_array();
  if (array == nullptr) {
    wrong_type(key, "an array of integers", *node, node->is_integer() ? "put it in brackets" : "");
    return items;
  }
  for (const toml::node& element : *array) {
    const auto* value = element.as_integer();
    if (value != nullptr && value->get() >= least && value->get() <= most) {
      items.push_back({value->get(), element.source().begin.line});
    } else {
      fault_at(element.source().begin.line, key, "expected integers " + range(least, most));
    }
  }
  return items;
}

Section Section::table(std::string_view key, std::string where) {
  const toml::node* node = take(key);
  const toml::table* found = node == nullptr ? nullptr : node->as_table();
  if (node != nullptr && found == nullptr) wrong_type(key, "a table", *node);
  return Section(found, std::move(where), *faults_);
}

std::vector<Section> Section::tables(std::string_view key, const std::string& where) {
  std::vector<Section> sections;
  const toml::node* node = take(key);
  if (node == nullptr) return sections;
  const auto* array = node->as_array();
  if (array == nullptr) {
    wrong_type(key, "an array of tables", *node, "write " + where + " with two brackets on each side");
    return sections;
  }
  for (const toml::node& element : *array) {
    if (const auto* found = element.as_table()) {
      sections.emplace_back(found, where, *faults_);
    } else {
      wrong_type(key, "an array of tables", element, "write each as " + where);
    }
  }
  return sections;
}

void Section::forbid(std::string_view key, const std::string& message) {
  if (take(key) != nullptr) fault(key, message);
}

void Section::later(std::string_view key, std::string_view neutral) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  const auto* value = node->as_string();
  if (value != nullptr && value->get() == neutral) return;
  fault(key, neutral.empty() ? "is not in this release; remove it"
                             : "only \"" + std::string(neutral) + "\" is in this release; remove it");
}

void Section::finish() {
  if (table_ == nullptr) return;
  for (const auto& [key, node] : *table_) {
    const std::string_view name = key.str();
    if (std::ranges::find(known_, name) != known_.end()) continue;
    const std::uint32_t line = key.source().begin.line;
    if (!is_display_text(name, 64)) {
      fault_at(line, "a key", "is unknown; remove it");
      continue;
    }
    const std::string_view meant = nearest(name, known_);
    fault_at(
        line, name,
        meant.empty() ? "is unknown; remove it" : "is unknown; did you mean " + std::string(meant) + "?");
  }
}

}  // namespace embedrouter::catalog
