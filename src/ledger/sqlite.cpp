#include "ledger/sqlite.h"

#include <sqlite3.h>

namespace embedrouter::ledger {
namespace {

// What the operator can do about it.
std::string_view advice(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process keeps it locked; try again, or stop that process";
    case SQLITE_FULL:
      return "the disk is full; free some space or choose another data_dir";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      return "this user may not write it; mend its permissions or choose another data_dir";
    case SQLITE_NOTADB:
      return "it is not a database; move it away or name another file in storage.url";
    case SQLITE_CORRUPT:
      return "it is damaged; restore it from a backup or move it away and make new keys";
    case SQLITE_IOERR:
      return "the disk fails; look at the system log";
    default:
      return "this should not happen; please report it";
  }
}

}  // namespace

void Database::Close::operator()(sqlite3* handle) const noexcept {
  sqlite3_close_v2(handle);
}
void Statement::Finalize::operator()(sqlite3_stmt* handle) const noexcept {
  sqlite3_finalize(handle);
}

Error Database::error() const {
  const int code = handle_ ? sqlite3_extended_errcode(handle_.get()) : SQLITE_NOMEM;
  Error error(ErrorCode::internal,
              "the key database " + file_ + " cannot be used: " + std::string(advice(code)));
  return std::move(error).with_detail(std::string(handle_ ? sqlite3_errmsg(handle_.get()) : "out of memory") +
                                      " (SQLite " + std::to_string(code) + ")");
}

Result<Database> Database::open(const std::filesystem::path& file, std::chrono::milliseconds patience) {
  Database database;
  database.file_ = file.string();
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  database.handle_.reset(handle);
  if (code != SQLITE_OK) return fail(database.error());
  sqlite3_busy_timeout(handle, static_cast<int>(patience.count()));
  return database;
}

Result<void> Database::run(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return fail(error());
  return {};
}

Result<Statement> Database::prepare(const char* sql) {
  sqlite3_stmt* handle = nullptr;
  if (sqlite3_prepare_v2(handle_.get(), sql, -1, &handle, nullptr) != SQLITE_OK) return fail(error());
  return Statement(this, handle);
}

Result<std::int64_t> Database::integer(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return fail(std::move(statement).error());
  auto row = statement->step();
  if (!row) return fail(std::move(row).error());
  if (!*row)
    return fail(ErrorCode::internal, "the key database " + file_ + " is damaged: a value is missing");
  return statement->integer(0);
}

Result<bool> Database::use_wal() {
  // SQLite does not wait by itself when several processes meet a new file and all ask for this.
  constexpr int kTries = 250;
  constexpr int kPauseMs = 20;
  for (int tried = 1;; ++tried) {
    auto statement = prepare("PRAGMA journal_mode = WAL");
    if (!statement) return fail(std::move(statement).error());
    auto row = statement->step();
    if (row) return *row && statement->text(0) == "wal";
    if (sqlite3_errcode(handle_.get()) != SQLITE_BUSY || tried == kTries) return fail(std::move(row).error());
    sqlite3_sleep(kPauseMs);
  }
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(handle_.get());
}

Statement& Statement::bind(int parameter, std::string_view text) {
  sqlite3_bind_text64(handle_.get(), parameter, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(int parameter, std::int64_t number) {
  sqlite3_bind_int64(handle_.get(), parameter, number);
  return *this;
}

Statement& Statement::bind(int parameter, double number) {
  sqlite3_bind_double(handle_.get(), parameter, number);
  return *this;
}

Statement& Statement::bind_bytes(int parameter, std::string_view bytes) {
  sqlite3_bind_blob64(handle_.get(), parameter, bytes.data(), bytes.size(), SQLITE_STATIC);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return fail(database_->error());
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
  if (bytes == nullptr) return {};
  return std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column)));
}

double Statement::real(int column) const {
  return sqlite3_column_double(handle_.get(), column);
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

}  // namespace embedrouter::ledger
