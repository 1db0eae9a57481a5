#include "apps/precision_report.h"

#include <embedrouter/matrix.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "apps/local_embedding.h"
#include "base/clock.h"

namespace embedrouter::apps {
namespace {

using inference::LocalModel;
using inference::Precision;

constexpr std::array<std::string_view, 36> kTexts{
    "The committee approved the budget after a long debate, although two members voted against it.",
    "How do I reset the password of my account?",
    "Photosynthesis turns carbon dioxide and water into sugar and oxygen with the energy of light.",
    "for (size_t i = 0; i < n; ++i) sum += values[i] * weights[i];",
    "SELECT name, price FROM products WHERE category = 'books' ORDER BY price DESC LIMIT 10;",
    "Invoice no. 20417, due 2024-03-15: 1,249.00 EUR incl. 19 % VAT.",
    "cheap flights to lisbon in october",
    "Patients who received the drug showed a significant reduction in blood pressure (p < 0.01).",
    "She opened the window; the smell of rain came in, and for a moment nobody spoke.",
    "The quarterback threw for 312 yards and three touchdowns in the final game of the season.",
    "Error: connection refused (os error 111) while connecting to upstream 10.0.0.7:5432",
    "The treaty of 1648 ended thirty years of war and changed the map of central Europe.",
    "Mix the flour with butter and a pinch of salt, then let the dough rest for an hour.",
    "Shares of the company fell 7% after it lowered its forecast for the second quarter.",
    "https://www.example.com/articles/42?lang=en#comments",
    "Der Zug nach Hamburg fährt heute von Gleis sieben und hat zwanzig Minuten Verspätung.",
    "Le conseil municipal a décidé de rénover l'école avant la rentrée.",
    "La biblioteca abre de lunes a viernes y los sábados por la mañana.",
    "O tempo vai mudar amanhã: chuva forte no litoral e vento no interior.",
    "La ricetta prevede pomodori freschi, basilico e un filo d'olio.",
    "De gemeente plant dit jaar duizend nieuwe bomen langs de rivier.",
    "W zeszłym roku miasto odwiedziło ponad dwa miliony turystów.",
    "Поезд прибывает на второй путь.",
    "Η βιβλιοθήκη είναι κλειστή.",
    "İstanbul'da bugün hava açık ve sıcak.",
    "الكتاب على الطاولة",
    "הספר על השולחן",
    "मुझे यह किताब पसंद है",
    "今天天气很好，我们去公园吧。",
    "東京の天気は晴れです。",
    "오늘 날씨가 좋습니다.",
    "วันนี้อากาศดี",
    "Tiếng Việt có sáu thanh điệu.",
    "ok",
    "!!! ??? ... --- 3.14159 2.71828 1e-9 0xFF €£¥ → ✓",
    "The router accepts a batch of texts, counts their tokens, chooses an endpoint by price and health, and "
    "answers with one vector for each text in the order in which they came; when an endpoint fails, the next "
    "one is tried, within the deadline of the request, and the answer says which of them it was.",
};
constexpr std::size_t kRepeats = 8;  // of the texts, for a measurement of some tenths of a second

struct Measured {
  inference::Vectors vectors;
  std::string kernels;
  double tokens_per_second = 0;
};

Result<Measured> measure(inference::ModelOptions options, Precision precision) {
  options.precision = precision;
  auto model = LocalModel::load(options);
  if (!model) return fail(std::move(model).error());
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < kRepeats; ++i) texts.insert(texts.end(), kTexts.begin(), kTexts.end());
  if (auto warm = embed_now(**model, texts); !warm) return fail(std::move(warm).error());
  const auto start = SystemClock().now();
  auto vectors = embed_now(**model, texts);
  if (!vectors) return fail(std::move(vectors).error());
  const std::chrono::duration<double> took = SystemClock().now() - start;
  double tokens = 0;
  for (const std::uint32_t count : vectors->tokens) tokens += count;
  return Measured{std::move(*vectors), (*model)->facts().kernels, tokens / took.count()};
}

std::string agreement(const inference::Vectors& vectors, const inference::Vectors& exact) {
  double sum = 0, least = 1;
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    const auto row = [&](const inference::Vectors& of) {
      return std::span(of.values.get() + i * of.width, of.width);
    };
    const double agrees = sdk::cosine(row(vectors), row(exact));
    sum += agrees;
    least = std::min(least, agrees);
  }
  return fmt::format(", cosine to fp32 {:.5f} in the mean, {:.5f} at least",
                     sum / static_cast<double>(kTexts.size()), least);
}

}  // namespace

std::vector<std::string> measure_precisions(const inference::ModelOptions& options) {
  static constexpr std::array<std::pair<const char*, Precision>, 3> kAll{
      {{"fp32", Precision::fp32}, {"bf16", Precision::bf16}, {"int8", Precision::int8}}};
  std::vector<std::string> lines;
  std::optional<Measured> exact;
  for (const auto& [name, precision] : kAll) {
    auto measured = measure(options, precision);
    if (!measured) {
      lines.push_back(fmt::format("{}: {}", name, measured.error().message()));
      continue;
    }
    lines.push_back(
        fmt::format("{} ({}): {:.0f} tokens/s", name, measured->kernels, measured->tokens_per_second) +
        (exact ? agreement(measured->vectors, exact->vectors) : ""));
    if (precision == Precision::fp32) exact = std::move(*measured);
  }
  return lines;
}

}  // namespace embedrouter::apps
