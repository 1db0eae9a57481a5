#include "ledger/schema.h"

#include <array>

#include "ledger/private_file.h"

namespace embedrouter::ledger {
namespace {

constexpr std::chrono::milliseconds kPatience{5'000};

// Marks the file as ours: "EmbR".
constexpr std::int64_t kApplicationId = 0x456d6252;
// The schema is the sum of these; PRAGMA user_version counts those a database has. Append; never change one
// that shipped.
constexpr std::array kMigrations{
    "CREATE TABLE keys ("
    "  hash TEXT NOT NULL UNIQUE,"
    "  label TEXT NOT NULL,"
    "  name TEXT NOT NULL,"
    "  management INTEGER NOT NULL,"
    "  disabled INTEGER NOT NULL DEFAULT 0,"
    "  created_at INTEGER NOT NULL"
    ") STRICT;"
    "PRAGMA application_id = 0x456d6252;"
    "PRAGMA user_version = 1;",
    // What the canaries have shown of an endpoint's vectors. `fingerprint`: float32, little-endian.
    "CREATE TABLE fingerprints ("
    "  space TEXT NOT NULL,"
    "  endpoint TEXT NOT NULL,"
    "  upstream_model TEXT NOT NULL,"
    "  canaries TEXT NOT NULL,"
    "  dimensions INTEGER NOT NULL,"
    "  verdict TEXT NOT NULL,"
    "  fingerprint BLOB NOT NULL,"
    "  noise REAL NOT NULL,"
    "  cosine REAL NOT NULL,"
    "  canary INTEGER NOT NULL,"
    "  changed_at INTEGER NOT NULL,"
    "  released INTEGER NOT NULL DEFAULT 0,"
    "  PRIMARY KEY (space, endpoint)"
    ") STRICT;"
    "PRAGMA user_version = 2;",
};
constexpr auto kVersion = static_cast<std::int64_t>(kMigrations.size());

// Fails unless the database is new, ours, and of a version this release knows. Writes nothing. Inside a
// transaction, so that what it reads is of one moment: another process may be making the tables.
Result<std::int64_t> check_version(Database& database, const std::filesystem::path& file) {
  auto version = database.integer("PRAGMA user_version");
  if (!version) return version;
  auto owner = database.integer("PRAGMA application_id");
  if (!owner) return owner;
  auto tables = database.integer("SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables;
  const bool ours = *owner == kApplicationId;
  const bool fresh = *tables == 0 && *version == 0 && *owner == 0;
  if (!ours && !fresh) {
    return fail(ErrorCode::internal,
                file.string() + " is a database of another program; name another file in storage.url");
  }
  if (*version > kVersion) {
    return fail(ErrorCode::internal, file.string() + " was made by a newer release (its version is " +
                                         std::to_string(*version) + ", this release knows " +
                                         std::to_string(kVersion) +
                                         "); upgrade embedrouter or choose another data_dir");
  }
  return version;
}

Result<void> migrate(Database& database, const std::filesystem::path& file) {
  return database.transaction([&]() -> Result<void> {
    // Another process may have been faster.
    const auto version = check_version(database, file);
    if (!version) return fail(version.error());
    for (auto next = static_cast<std::size_t>(*version); next < kMigrations.size(); ++next) {
      if (auto done = database.run(kMigrations[next]); !done) return done;
    }
    return {};
  });
}

}  // namespace

Result<Database> open_ledger(const std::filesystem::path& file) {
  if (file.has_parent_path()) {
    if (auto made = make_private_folder(file.parent_path()); !made) return fail(std::move(made).error());
  }
  if (auto made = make_private_file(file); !made) return fail(std::move(made).error());
  auto database = Database::open(file, kPatience);
  if (!database) return fail(std::move(database).error());
  Result<std::int64_t> version = 0;
  const auto looked = database->snapshot([&]() -> Result<void> {
    version = check_version(*database, file);
    if (!version) return fail(version.error());
    return {};
  });
  if (!looked) return fail(looked.error());
  const auto wal = database->use_wal();
  if (!wal) return fail(wal.error());
  if (!*wal) {
    return fail(ErrorCode::internal,
                "the file system of " + file.string() +
                    " cannot share a database between processes; choose a data_dir on a local disk");
  }
  // A key that was shown must survive a power cut; a removed one leaves no bytes behind.
  if (auto done = database->run("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON"); !done)
    return fail(std::move(done).error());
  if (*version < kVersion) {
    if (auto done = migrate(*database, file); !done) return fail(std::move(done).error());
  }
  return std::move(*database);
}

}  // namespace embedrouter::ledger
