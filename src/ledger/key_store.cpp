#include <algorithm>
#include <array>
#include <optional>

#include "base/json_text.h"
#include "base/random.h"
#include "ledger/keys.h"
#include "ledger/schema.h"

namespace embedrouter::ledger {
namespace {

constexpr std::string_view kPrefix = "sk-or-v1-";
constexpr std::size_t kHexDigits = 64;
constexpr std::size_t kShortestHash = 8;
constexpr std::size_t kLongestName = 200;

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
  auto database = open_ledger(file);
  if (!database) return fail(std::move(database).error());
  return std::make_unique<SqliteKeyStore>(*std::move(database), clock);
}

}  // namespace embedrouter::ledger
