#pragma once
// The keys callers authenticate with. Stored as SHA-256 in SQLite; the key itself is shown once, when it is
// made.

#include <embedrouter/result.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/sha256.h"

namespace embedrouter::ledger {

struct KeyRecord {
  std::string hash;   // 64 lower-case hex digits
  std::string label;  // "sk-or-v1-0e6...1c96"
  std::string name;
  bool management = false;
  bool disabled = false;
  std::int64_t created_at = 0;  // unix seconds
};

struct NewKey {
  std::string key;  // "sk-or-v1-" and 64 hex digits; nowhere else after this
  KeyRecord record;
};

// True if `text` has the form of a key, whether or not it is one.
bool is_key(std::string_view text) noexcept;

// The key table of a SQLite database (WAL). Several processes may have it open: `embedrouter keys` beside a
// running server. Not thread-safe: one per thread.
class KeyStore {
 public:
  // Makes the file and its folder (mode 0600, 0700) if there is none. Fails with a message that says what to
  // do (no permission, disk full, not a database, made by a newer release). `clock` dates new keys and
  // outlives the store; the first form uses the system's.
  static Result<std::unique_ptr<KeyStore>> open(const std::filesystem::path& database);
  static Result<std::unique_ptr<KeyStore>> open(const std::filesystem::path& database, const Clock& clock);
  virtual ~KeyStore() = default;

  // `name`: 1 to 200 bytes of UTF-8 without control characters.
  virtual Result<NewKey> create(std::string_view name, bool management) = 0;
  virtual Result<std::vector<KeyRecord>> list() = 0;  // newest first
  // Removes a key, named by its whole hash, a prefix of the hash of at least 8 digits that is unique, its
  // label, or the key itself. not_found if there is none, invalid_request if several are meant.
  virtual Result<KeyRecord> revoke(std::string_view hash) = 0;
  virtual Result<std::size_t> size() = 0;
  // Changes when another connection committed since the last call (PRAGMA data_version).
  virtual Result<std::int64_t> version() = 0;
};

// The keys as the request path sees them: an immutable snapshot in memory, renewed by a background thread
// within 0.5 s of a change to the database. Thread-safe. While the database cannot be read, the last good
// snapshot stays and health() says so.
class KeyRing {
 public:
  // Reads the database once before returning and then looks at it every `interval`.
  static Result<std::unique_ptr<KeyRing>> watch(
      const std::filesystem::path& database,
      std::chrono::milliseconds interval = std::chrono::milliseconds(250));
  virtual ~KeyRing() = default;  // waits for the thread

  // The record of `key` as presented, nullptr if unknown, disabled or revoked. Hashes the key; compares in
  // constant time.
  virtual std::shared_ptr<const KeyRecord> find(std::string_view key) const = 0;
  virtual std::size_t size() const = 0;  // keys that find() would return

  // Looks at the database now instead of at the next interval.
  virtual void refresh() = 0;

  struct Health {
    bool current = true;         // the last look succeeded
    std::uint64_t failures = 0;  // looks that failed since the start
    std::string message;         // why the last one failed, for the operator; empty if it did not
  };
  virtual Health health() const = 0;
};

}  // namespace embedrouter::ledger
