#pragma once
// What the canaries have shown of endpoints' vectors, kept beside the keys.

#include <embedrouter/result.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "ledger/sqlite.h"

namespace embedrouter::ledger {

struct FingerprintRecord {
  std::string space, endpoint, upstream_model;
  std::string canaries;            // which texts the vectors are of
  std::uint32_t dimensions = 0;    // of each vector; 0: there are none
  std::string verdict;             // "agreeing", "held_out", "quarantined", "unknown"
  std::vector<float> fingerprint;  // the vectors, one behind the other
  double noise = 0;
  double cosine = 1;  // the least of the measurement that led to the verdict, and which canary's
  std::uint32_t canary = 0;
  std::int64_t changed_at = 0;  // unix seconds
  bool released = false;        // the operator wants it measured anew
};

// The table of fingerprints of the ledger's database. Several processes may have it open: `embedrouter
// endpoints` beside a running router. Not thread-safe: one per thread.
class Fingerprints {
 public:
  // As open_ledger(). `clock` dates records and outlives the store.
  static Result<Fingerprints> open(const std::filesystem::path& database, const Clock& clock);

  // Oldest first. A row that is damaged comes without its vectors.
  Result<std::vector<FingerprintRecord>> list();
  // Adds or replaces the record of its space and endpoint, dated now and not released.
  Result<void> put(const FingerprintRecord& record);
  Result<void> remove(std::string_view space, std::string_view endpoint);
  // Marks the records of an endpoint. not_found if there is none.
  Result<void> release(std::string_view endpoint);
  // The endpoints that are marked, whose records are then gone.
  Result<std::vector<std::string>> take_released();
  // Changes when another connection committed since the last call.
  Result<std::int64_t> version() { return database_.integer("PRAGMA data_version"); }

 private:
  Fingerprints(Database database, const Clock& clock) : database_(std::move(database)), clock_(&clock) {}

  Database database_;
  const Clock* clock_;
};

}  // namespace embedrouter::ledger
