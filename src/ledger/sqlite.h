#pragma once
// The little of SQLite that the ledger needs, with owners and Results.

#include <embedrouter/result.h>
#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace embedrouter::ledger {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

// A prepared statement: bind from the first place on, step, read. Text bound must outlive the steps.
class Statement {
 public:
  Statement(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}

  Statement& bind(std::string_view text) {
    sqlite3_bind_text(statement_.get(), ++bound_, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
    return *this;
  }
  Statement& bind(std::int64_t value) {
    sqlite3_bind_int64(statement_.get(), ++bound_, value);
    return *this;
  }
  Result<bool> step();   // true: a row is there
  std::string text(int column) const;
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

 private:
  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement_;
  int bound_ = 0;
};

class Database {
 public:
  // Makes the file (mode 0600) and its folder (0700) if there are none. WAL, so that others may read and write beside.
  static Result<Database> open(const std::filesystem::path& file);

  Result<void> run(const char* sql);
  Result<Statement> prepare(const char* sql);
  Result<std::int64_t> single(const char* sql);   // the first column of the first row

 private:
  explicit Database(sqlite3* database) : database_(database) {}
  std::unique_ptr<sqlite3, CloseDatabase> database_;
};

}  // namespace embedrouter::ledger
