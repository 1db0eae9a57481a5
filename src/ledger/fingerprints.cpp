#include "ledger/fingerprints.h"

#include <bit>
#include <cstring>
#include <utility>

#include "ledger/schema.h"

namespace embedrouter::ledger {
namespace {

static_assert(std::endian::native == std::endian::little, "fingerprints are kept as they lie in memory");

// The vectors of a row, or none where its bytes are no whole number of vectors.
void read_vectors(const std::string& bytes, FingerprintRecord& record) {
  const std::size_t stride = std::size_t{record.dimensions} * sizeof(float);
  if (stride == 0 || bytes.empty() || bytes.size() % stride != 0) {
    record.dimensions = 0;
    return;
  }
  record.fingerprint.resize(bytes.size() / sizeof(float));
  std::memcpy(record.fingerprint.data(), bytes.data(), bytes.size());
}

}  // namespace

Result<Fingerprints> Fingerprints::open(const std::filesystem::path& file, const Clock& clock) {
  auto database = open_ledger(file);
  if (!database) return fail(std::move(database).error());
  return Fingerprints(*std::move(database), clock);
}

Result<std::vector<FingerprintRecord>> Fingerprints::list() {
  auto query = database_.prepare(
      "SELECT space, endpoint, upstream_model, canaries, dimensions, verdict, fingerprint, noise, cosine, "
      "canary, changed_at, released FROM fingerprints ORDER BY changed_at, rowid");
  if (!query) return fail(std::move(query).error());
  std::vector<FingerprintRecord> found;
  for (;;) {
    auto row = query->step();
    if (!row) return fail(std::move(row).error());
    if (!*row) return found;
    FingerprintRecord record;
    record.space = query->text(0);
    record.endpoint = query->text(1);
    record.upstream_model = query->text(2);
    record.canaries = query->text(3);
    record.dimensions = static_cast<std::uint32_t>(query->integer(4));
    record.verdict = query->text(5);
    read_vectors(query->text(6), record);
    record.noise = query->real(7);
    record.cosine = query->real(8);
    record.canary = static_cast<std::uint32_t>(query->integer(9));
    record.changed_at = query->integer(10);
    record.released = query->integer(11) != 0;
    found.push_back(std::move(record));
  }
}

Result<void> Fingerprints::put(const FingerprintRecord& record) {
  auto insert = database_.prepare(
      "INSERT OR REPLACE INTO fingerprints (space, endpoint, upstream_model, canaries, dimensions, verdict, "
      "fingerprint, noise, cosine, canary, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!insert) return fail(std::move(insert).error());
  const std::string_view bytes(reinterpret_cast<const char*>(record.fingerprint.data()),
                               record.fingerprint.size() * sizeof(float));
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(clock_->wall().time_since_epoch());
  insert->bind(1, record.space).bind(2, record.endpoint).bind(3, record.upstream_model);
  insert->bind(4, record.canaries).bind(5, std::int64_t{record.dimensions}).bind(6, record.verdict);
  insert->bind_bytes(7, bytes).bind(8, record.noise).bind(9, record.cosine);
  insert->bind(10, std::int64_t{record.canary}).bind(11, std::int64_t{now.count()});
  if (auto done = insert->step(); !done) return fail(std::move(done).error());
  return {};
}

Result<void> Fingerprints::remove(std::string_view space, std::string_view endpoint) {
  auto statement = database_.prepare("DELETE FROM fingerprints WHERE space = ? AND endpoint = ?");
  if (!statement) return fail(std::move(statement).error());
  statement->bind(1, space).bind(2, endpoint);
  if (auto done = statement->step(); !done) return fail(std::move(done).error());
  return {};
}

Result<void> Fingerprints::release(std::string_view endpoint) {
  auto statement = database_.prepare("UPDATE fingerprints SET released = 1 WHERE endpoint = ?");
  if (!statement) return fail(std::move(statement).error());
  statement->bind(1, endpoint);
  if (auto done = statement->step(); !done) return fail(std::move(done).error());
  if (database_.changes() == 0)
    return fail(ErrorCode::not_found,
                "nothing is known of such an endpoint; `embedrouter endpoints list` shows those there are");
  return {};
}

Result<std::vector<std::string>> Fingerprints::take_released() {
  std::vector<std::string> found;
  auto query = database_.prepare("DELETE FROM fingerprints WHERE released = 1 RETURNING endpoint");
  if (!query) return fail(std::move(query).error());
  for (;;) {
    auto row = query->step();
    if (!row) return fail(std::move(row).error());
    if (!*row) return found;
    found.push_back(query->text(0));
  }
}

}  // namespace embedrouter::ledger
