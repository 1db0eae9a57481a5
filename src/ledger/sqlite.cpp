#include "ledger/sqlite.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace embedrouter::ledger {
namespace {

constexpr int kBusyTimeoutMs = 5'000;

Error failure(sqlite3* database) {
  const int code = sqlite3_errcode(database) & 0xff;
  std::string message = "the key database: ";
  message += sqlite3_errmsg(database);
  switch (code) {
    case SQLITE_FULL: message += "; free some space on its disk"; break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN: message += "; give this user the right to write its folder, or name another with --data-dir"; break;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT: message += "; move the file away and make new keys"; break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: message += "; another process holds it, try again"; break;
    default: break;
  }
  return {ErrorCode::internal, std::move(message)};
}

// Made before SQLite sees it, so that no byte of it is ever readable by others.
Result<void> make_private_file(const std::filesystem::path& file) {
  std::error_code error;
  const std::filesystem::path folder = file.parent_path();
  if (!folder.empty() && !std::filesystem::exists(folder, error)) {
    std::filesystem::create_directories(folder, error);
    if (!error) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
    if (error) return fail(ErrorCode::internal, "cannot make the folder " + folder.string() + ": " + error.message());
  }
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) {
    return fail(ErrorCode::internal, "cannot open " + file.string() + ": " + std::strerror(errno) +
                                         "; give this user the right to write there, or name another folder with --data-dir");
  }
  ::close(descriptor);
  return {};
}

}  // namespace

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return fail(failure(database_));
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return bytes == nullptr ? std::string()
                          : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

Result<Database> Database::open(const std::filesystem::path& file) {
  if (auto made = make_private_file(file); !made) return fail(std::move(made).error());
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  if (code != SQLITE_OK) return fail(failure(raw));
  sqlite3_extended_result_codes(raw, 0);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  if (auto ready = database.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON"); !ready) {
    return fail(std::move(ready).error());
  }
  return database;
}

Result<void> Database::run(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return fail(failure(database_.get()));
  return {};
}

Result<Statement> Database::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql, -1, &statement, nullptr) != SQLITE_OK) return fail(failure(database_.get()));
  return Statement(database_.get(), statement);
}

Result<std::int64_t> Database::single(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return fail(std::move(statement).error());
  auto row = statement->step();
  if (!row) return fail(std::move(row).error());
  return *row ? statement->integer(0) : 0;
}

}  // namespace embedrouter::ledger
