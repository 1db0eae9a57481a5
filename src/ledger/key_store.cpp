#include <algorithm>
#include <array>
#include <optional>

#include "base/json_text.h"
#include "base/random.h"
#include "ledger/keys.h"
#include "ledger/private_file.h"
#include "ledger/sqlite.h"

namespace embedrouter::ledger {
namespace {

constexpr std::string_view kPrefix = "sk-or-v1-";
constexpr std::size_t kHexDigits = 64;
constexpr std::size_t kShortestHash = 8;
constexpr std::size_t kLongestName = 200;
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
};
constexpr auto kVersion = static_cast<std::int64_t>(kMigrations.size());

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && is_utf8(text) &&
         std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string label_of(std::string_view key) {
  return std::string(key.substr(0, kPrefix.size() + 3)) + "..." + std::string(key.substr(key.size() - 4));
}

KeyRecord read_record(const Statement& row) {
  KeyRecord record;
  record.hash = row.text(0);
  record.label = row.text(1);
  record.name = row.text(2);
  record.management = row.integer(3) != 0;
  record.disabled = row.integer(4) != 0;
  record.created_at = row.integer(5);
  return record;
}

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

class SqliteKeyStore final : public KeyStore {
 public:
  SqliteKeyStore(Database database, const Clock& clock) : database_(std::move(database)), clock_(clock) {}

  Result<NewKey> create(std::string_view name, bool management) override {
    if (!is_name(name)) {
      return fail(Error(ErrorCode::invalid_request,
                        "the name of a key has 1 to 200 bytes of UTF-8 and no control characters")
                      .with_param("name"));
    }
    std::array<std::uint8_t, kHexDigits / 2> secret;
    secure_random(secret);
    NewKey made;
    made.key = std::string(kPrefix) + to_hex(secret);
    made.record.hash = to_hex(sha256(made.key));
    made.record.label = label_of(made.key);
    made.record.name = name;
    made.record.management = management;
    made.record.created_at =
        std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();

    auto insert = database_.prepare(
        "INSERT INTO keys (hash, label, name, management, created_at) VALUES (?, ?, ?, ?, ?)");
    if (!insert) return fail(std::move(insert).error());
    insert->bind(1, made.record.hash).bind(2, made.record.label).bind(3, made.record.name);
    insert->bind(4, std::int64_t{management}).bind(5, made.record.created_at);
    if (auto done = insert->step(); !done) return fail(std::move(done).error());
    return made;
  }

  Result<std::vector<KeyRecord>> list() override {
    return records(
        database_.prepare("SELECT hash, label, name, management, disabled, created_at FROM keys ORDER BY "
                          "created_at DESC, rowid DESC"));
  }

  Result<KeyRecord> revoke(std::string_view given) override {
    auto record = named(given);
    if (!record) return record;
    auto remove = database_.prepare("DELETE FROM keys WHERE hash = ?");
    if (!remove) return fail(std::move(remove).error());
    if (auto done = remove->bind(1, record->hash).step(); !done) return fail(std::move(done).error());
    if (database_.changes() == 0) return fail(ErrorCode::not_found, "the key is already revoked");
    return record;
  }

  Result<std::size_t> size() override {
    const auto count = database_.integer("SELECT count(*) FROM keys");
    if (!count) return fail(count.error());
    return static_cast<std::size_t>(*count);
  }

  Result<std::int64_t> version() override { return database_.integer("PRAGMA data_version"); }

 private:
  static Result<std::vector<KeyRecord>> records(Result<Statement> query) {
    if (!query) return fail(std::move(query).error());
    std::vector<KeyRecord> found;
    for (;;) {
      auto row = query->step();
      if (!row) return fail(std::move(row).error());
      if (!*row) return found;
      found.push_back(read_record(*query));
    }
  }

  // The one key that `given` means.
  Result<KeyRecord> named(std::string_view given) {
    const std::string low = is_key(given) ? to_hex(sha256(given)) : std::string(given);
    const std::string high = low + "g";  // behind every hash that begins so
    const bool by_label = low.starts_with(kPrefix);
    if (!by_label && (low.size() < kShortestHash || !is_hex(low))) {
      return fail(
          ErrorCode::not_found,
          "a key is named by its hash, at least the first 8 of its lower-case hex digits, or by its label; "
          "`embedrouter keys list` shows both");
    }
    auto query = database_.prepare(
        by_label
            ? "SELECT hash, label, name, management, disabled, created_at FROM keys WHERE label = ? LIMIT 2"
            : "SELECT hash, label, name, management, disabled, created_at FROM keys WHERE hash >= ? AND hash "
              "< ? LIMIT 2");
    if (query) query->bind(1, low);
    if (query && !by_label) query->bind(2, high);
    auto found = records(std::move(query));
    if (!found) return fail(std::move(found).error());
    if (found->empty())
      return fail(ErrorCode::not_found,
                  "there is no such key; `embedrouter keys list` shows those there are");
    if (found->size() > 1)
      return fail(ErrorCode::invalid_request, "several keys are meant; give more digits of the hash");
    return std::move(found->front());
  }

  Database database_;
  const Clock& clock_;
};

}  // namespace

bool is_key(std::string_view text) noexcept {
  return text.size() == kPrefix.size() + kHexDigits && text.starts_with(kPrefix) &&
         is_hex(text.substr(kPrefix.size()));
}

Result<std::unique_ptr<KeyStore>> KeyStore::open(const std::filesystem::path& database) {
  static const SystemClock kClock;
  return open(database, kClock);
}

Result<std::unique_ptr<KeyStore>> KeyStore::open(const std::filesystem::path& file, const Clock& clock) {
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
  return std::make_unique<SqliteKeyStore>(std::move(*database), clock);
}

}  // namespace embedrouter::ledger
