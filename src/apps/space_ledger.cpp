#include "apps/space_ledger.h"

#include <utility>

namespace embedrouter::apps {
namespace {

using routing::SpaceMember;
using routing::SpaceRecord;
using routing::Verdict;

// nullopt where the record is of other texts, or damaged.
std::optional<SpaceRecord> record_of(ledger::FingerprintRecord& row) {
  const auto verdict = routing::verdict_named(row.verdict);
  const std::size_t whole = std::size_t{row.dimensions} * routing::canary_texts().size();
  const bool has_vectors = row.dimensions != 0 && row.fingerprint.size() == whole;
  if (!verdict || row.canaries != routing::canary_version()) return std::nullopt;
  const bool needs_vectors = *verdict == Verdict::agreeing || *verdict == Verdict::quarantined;
  if (needs_vectors && !has_vectors) return std::nullopt;
  std::optional<routing::Fingerprint> history;
  if (has_vectors) history = routing::Fingerprint{row.dimensions, std::move(row.fingerprint)};
  return SpaceRecord{row.space, row.endpoint, row.upstream_model,
                     SpaceMember(*verdict, std::move(history), row.noise)};
}

ledger::FingerprintRecord row_of(const SpaceRecord& record) {
  ledger::FingerprintRecord row;
  row.space = record.space;
  row.endpoint = record.endpoint;
  row.upstream_model = record.upstream_model;
  row.canaries = routing::canary_version();
  row.verdict = routing::name_of(record.member.verdict());
  if (const auto& history = record.member.history()) {
    row.dimensions = history->width;
    row.fingerprint = history->values;
  }
  row.noise = record.member.noise();
  row.cosine = record.member.last().cosine;
  row.canary = record.member.last().canary;
  return row;
}

}  // namespace

SpaceLedger::SpaceLedger(const catalog::Config& config, const Clock& clock, Log& log) : log_(log) {
  auto store = ledger::Fingerprints::open(catalog::database_path(config), clock);
  if (store) {
    store_.emplace(*std::move(store));
  } else {
    report(store.error());
  }
}

void SpaceLedger::report(const Error& error) {
  if (std::exchange(failing_, true)) return;
  log_.warn("space_history", {{"fault", error.message()}, {"detail", error.detail()}});
}

std::vector<SpaceRecord> SpaceLedger::read() {
  std::vector<SpaceRecord> records;
  if (!store_) return records;
  auto rows = store_->list();
  if (!rows) {
    report(rows.error());
    return records;
  }
  for (ledger::FingerprintRecord& row : *rows) {
    auto record = record_of(row);
    if (record) {
      records.push_back(*std::move(record));
    } else {
      log_.warn("space_history", {{"fault", "the record is damaged, or of other canary texts"},
                                  {"endpoint", row.endpoint},
                                  {"space", row.space}});
    }
  }
  return records;
}

void SpaceLedger::keep(const SpaceRecord& record) {
  if (!store_) return;
  if (auto done = store_->put(row_of(record)); done) {
    failing_ = false;
  } else {
    report(done.error());
  }
}

void SpaceLedger::forget(std::string_view space, std::string_view endpoint) {
  if (!store_) return;
  if (auto done = store_->remove(space, endpoint); !done) report(done.error());
}

std::vector<std::string> SpaceLedger::released() {
  if (!store_) return {};
  const auto version = store_->version();
  if (!version) {
    report(version.error());
    return {};
  }
  if (version_ == *version) return {};
  auto taken = store_->take_released();
  if (!taken) {
    report(taken.error());
    return {};
  }
  version_ = *version;
  return *std::move(taken);
}

}  // namespace embedrouter::apps
