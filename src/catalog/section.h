#pragma once
#include <toml++/toml.h>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/config.h"

namespace embedrouter::catalog {

using Faults = std::vector<ConfigFault>;

// One table of the file, read key by key. A value of the wrong type or out of range becomes a fault with its
// line, and the reader gets nothing. What was never asked for is an unknown key: finish() reports it.
// Messages name keys and never values, which may be secrets. An absent table reads as an empty one. The
// document and `faults` outlive the section.
class Section {
 public:
  // `where` begins every message: "[server]".
  Section(const toml::table* table, std::string where, Faults& faults)
      : table_(table), where_(std::move(where)), faults_(&faults) {}

  void rename(std::string where) { where_ = std::move(where); }
  const std::string& where() const noexcept { return where_; }
  std::uint32_t line() const noexcept { return table_ == nullptr ? 0 : table_->source().begin.line; }
  bool empty() const noexcept { return table_ == nullptr || table_->empty(); }
  // The line of the value of `key`, or of the table if it has none.
  std::uint32_t line_of(std::string_view key) const noexcept;
  bool has(std::string_view key) const noexcept { return table_ != nullptr && table_->contains(key); }

  std::optional<std::string> text(std::string_view key);
  // One of `allowed`.
  std::optional<std::string> choice(std::string_view key, const std::vector<std::string_view>& allowed);
  void flag(std::string_view key, bool& out);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);
  template <class T>
  void integer(std::string_view key, T& out, std::int64_t least, std::int64_t most) {
    if (const auto value = integer(key, least, most)) out = static_cast<T>(*value);
  }
  void number(std::string_view key, double& out, double least, double most);
  void duration(std::string_view key, std::chrono::milliseconds& out, std::chrono::milliseconds least,
                std::chrono::milliseconds most);
  void bytes(std::string_view key, std::size_t& out, std::uint64_t least, std::uint64_t most);

  template <class T>
  struct Item {
    T value;
    std::uint32_t line;
  };
  std::vector<Item<std::string>> texts(std::string_view key);
  // The same, and a string alone is a list of one. Empty strings and an empty list are faults.
  std::vector<Item<std::string>> one_or_more(std::string_view key);
  std::vector<Item<std::int64_t>> integers(std::string_view key, std::int64_t least, std::int64_t most);

  // `[key]` under this table, or an empty section.
  Section table(std::string_view key, std::string where);
  // `[[key]]` under this table, in the order of the file.
  std::vector<Section> tables(std::string_view key, const std::string& where);
  // A key that is a fault wherever it stands, with a reason of its own.
  void forbid(std::string_view key, const std::string& message);
  // A key that only a later release honours: `neutral`, if not empty, is the one text it may hold.
  void later(std::string_view key, std::string_view neutral = {});

  void fault(std::string_view key, const std::string& message) { fault_at(line_of(key), key, message); }
  void fault_at(std::uint32_t line, std::string_view key, const std::string& message);
  // Reports the keys nobody asked for.
  void finish();

 private:
  const toml::node* take(std::string_view key);
  void wrong_type(std::string_view key, std::string_view expected, const toml::node& found,
                  std::string_view hint = {});

  const toml::table* table_;
  std::string where_;
  Faults* faults_;
  std::vector<std::string_view> known_;
};

}  // namespace embedrouter::catalog
