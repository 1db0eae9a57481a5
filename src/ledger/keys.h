#pragma once
// The keys callers authenticate with. Stored as SHA-256 in SQLite; the key itself is shown once, when it is made.

#include <embedrouter/result.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/sha256.h"

namespace embedrouter::ledger {

struct KeyRecord {
  std::string hash;        // 64 lower-case hex digits
  std::string label;       // "sk-or-v1-0e6…1c96"
  std::string name;
  bool management = false;
  bool disabled = false;
  std::int64_t created_at = 0;   // unix seconds
};

struct NewKey {
  std::string key;         // "sk-or-v1-" and 64 hex digits; nowhere else after this
  KeyRecord record;
};

// The key table of a SQLite database (WAL). Several processes may have it open: `embedrouter keys` beside a running server.
// Not thread-safe: one per thread.
class KeyStore {
 public:
  // Makes the file and its folder (mode 0600, 0700) if there is none. Fails with a message that says what to do (no
  // permission, disk full, not a database, made by a newer release).
  // `clock` must outlive the store.
  static Result<std::unique_ptr<KeyStore>> open(const std::filesystem::path& database, const Clock& clock);
  virtual ~KeyStore() = default;

  virtual Result<NewKey> create(std::string_view name, bool management) = 0;
  virtual Result<std::vector<KeyRecord>> list() = 0;           // newest first
  // Removes a key, named by its hash, by at least 8 first digits of it, or by its label. not_found if there is none.
  virtual Result<KeyRecord> revoke(std::string_view hash) = 0;
  virtual Result<std::size_t> size() = 0;
  // Changes when another connection committed since the last call (PRAGMA data_version).
  virtual Result<std::int64_t> version() = 0;
};

// The keys as the request path sees them: an immutable snapshot in memory, renewed by a background thread within 0.5 s of a
// change to the database. Thread-safe.
class KeyRing {
 public:
  // Reads the database once before returning and then watches it.
  static Result<std::unique_ptr<KeyRing>> watch(const std::filesystem::path& database);
  virtual ~KeyRing() = default;

  // The record of `key` as presented, nullptr if unknown, disabled or revoked. Hashes the key; compares in constant time.
  virtual std::shared_ptr<const KeyRecord> find(std::string_view key) const = 0;
  virtual std::size_t size() const = 0;
  // How often the database could not be read since the start; the last good keys stay in force meanwhile.
  virtual std::uint64_t failures() const = 0;
};

}  // namespace embedrouter::ledger
