#pragma once
// The small normalizers.

#include <memory>

#include "tokenizer/stages.h"

namespace embedrouter::tokenizer {

// Code point by code point, so without a final sigma.
class Lowercase final : public Normalizer {
 public:
  void append(std::string_view text, std::string& out) const override;
};

// Drops every mark, nonspacing or not; what NFD would decompose stays.
class StripAccents final : public Normalizer {
 public:
  void append(std::string_view text, std::string& out) const override;
};

// Takes the white space at the ends away.
class Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  void append(std::string_view text, std::string& out) const override;

 private:
  const bool left_, right_;
};

// Puts something before a text that is not empty.
class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string what) : what_(std::move(what)) {}
  void append(std::string_view text, std::string& out) const override;

 private:
  const std::string what_;
};

// One after the other.
class NormalizerSequence final : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<const Normalizer>> all) : all_(std::move(all)) {}
  void append(std::string_view text, std::string& out) const override;
  std::size_t growth() const override;

 private:
  const std::vector<std::unique_ptr<const Normalizer>> all_;
};

}  // namespace embedrouter::tokenizer
