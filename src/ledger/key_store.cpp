#include <algorithm>
#include <array>

#include "base/random.h"
#include "ledger/keys.h"
#include "ledger/sqlite.h"

namespace embedrouter::ledger {
namespace {

constexpr std::string_view kPrefix = "sk-or-v1-";
constexpr std::size_t kShortestPrefix = 8;   // of a hash, to name a key by
constexpr std::int64_t kSchema = 1;

constexpr const char* kCreate = R"(
  BEGIN IMMEDIATE;
  CREATE TABLE IF NOT EXISTS keys (
    hash TEXT PRIMARY KEY, label TEXT NOT NULL, name TEXT NOT NULL, management INTEGER NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL) WITHOUT ROWID;
  PRAGMA user_version = 1;
  COMMIT)";

constexpr const char* kColumns = "SELECT hash, label, name, management, disabled, created_at FROM keys ";

KeyRecord record_of(const Statement& row) {
  KeyRecord record;
  record.hash = row.text(0);
  record.label = row.text(1);
  record.name = row.text(2);
  record.management = row.integer(3) != 0;
  record.disabled = row.integer(4) != 0;
  record.created_at = row.integer(5);
  return record;
}

class SqliteKeyStore final : public KeyStore {
 public:
  SqliteKeyStore(Database database, const Clock& clock) : database_(std::move(database)), clock_(clock) {}

  Result<NewKey> create(std::string_view name, bool management) override {
    std::array<std::uint8_t, 32> secret;
    secure_random(secret);
    NewKey made;
    made.key = std::string(kPrefix) + to_hex(secret);
    made.record.hash = to_hex(sha256(made.key));
    made.record.label = made.key.substr(0, kPrefix.size() + 3) + "..." + made.key.substr(made.key.size() - 4);
    made.record.name = name;
    made.record.management = management;
    made.record.created_at = std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
    auto insert = database_.prepare("INSERT INTO keys (hash, label, name, management, created_at) VALUES (?, ?, ?, ?, ?)");
    if (!insert) return fail(std::move(insert).error());
    insert->bind(made.record.hash).bind(made.record.label).bind(made.record.name).bind(std::int64_t{management});
    insert->bind(made.record.created_at);
    if (auto done = insert->step(); !done) return fail(std::move(done).error());
    return made;
  }

  Result<std::vector<KeyRecord>> list() override {
    auto select = database_.prepare((std::string(kColumns) + "ORDER BY created_at DESC, hash").c_str());
    if (!select) return fail(std::move(select).error());
    std::vector<KeyRecord> records;
    for (;;) {
      auto row = select->step();
      if (!row) return fail(std::move(row).error());
      if (!*row) return records;
      records.push_back(record_of(*select));
    }
  }

  Result<KeyRecord> revoke(std::string_view named) override {
    auto all = list();
    if (!all) return fail(std::move(all).error());
    std::vector<KeyRecord> found;
    std::ranges::copy_if(*all, std::back_inserter(found), [&](const KeyRecord& record) {
      return record.label == named || (named.size() >= kShortestPrefix && record.hash.starts_with(named));
    });
    if (found.empty()) {
      return fail(ErrorCode::not_found, "no key has that hash or label; `embedrouter keys list` shows them (a hash may be cut, to " +
                                            std::to_string(kShortestPrefix) + " digits at the least)");
    }
    if (found.size() > 1) return fail(ErrorCode::invalid_request, "several keys are named so; give more digits of the hash");
    auto remove = database_.prepare("DELETE FROM keys WHERE hash = ?");
    if (!remove) return fail(std::move(remove).error());
    remove->bind(found.front().hash);
    if (auto done = remove->step(); !done) return fail(std::move(done).error());
    return std::move(found.front());
  }

  Result<std::size_t> size() override {
    auto count = database_.single("SELECT count(*) FROM keys");
    if (!count) return fail(std::move(count).error());
    return static_cast<std::size_t>(*count);
  }

  Result<std::int64_t> version() override { return database_.single("PRAGMA data_version"); }

 private:
  Database database_;
  const Clock& clock_;
};

}  // namespace

Result<std::unique_ptr<KeyStore>> KeyStore::open(const std::filesystem::path& file, const Clock& clock) {
  auto database = Database::open(file);
  if (!database) return fail(std::move(database).error());
  auto schema = database->single("PRAGMA user_version");
  if (!schema) return fail(std::move(schema).error());
  if (*schema > kSchema) {
    return fail(ErrorCode::internal, file.string() + " was made by a newer release of embedrouter; use that one");
  }
  if (*schema < kSchema) {
    if (auto made = database->run(kCreate); !made) return fail(std::move(made).error());
  }
  return std::make_unique<SqliteKeyStore>(*std::move(database), clock);
}

}  // namespace embedrouter::ledger
