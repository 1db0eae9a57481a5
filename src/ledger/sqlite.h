#pragma once
// SQLite with failures as values. One connection belongs to one thread at a time.

#include <embedrouter/result.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace embedrouter::ledger {

class Statement;

class Database {
 public:
  // Opens an existing file. A writer that finds another at work waits for `patience`, then fails.
  static Result<Database> open(const std::filesystem::path& file, std::chrono::milliseconds patience);

  Result<void> run(const char* sql);
  // The first column of the first row of a query that has one.
  Result<std::int64_t> integer(const char* sql);
  Result<Statement> prepare(const char* sql);
  // Write-ahead logging, in which readers and a writer do not wait for each other. False if the file system
  // cannot.
  Result<bool> use_wal();
  // Rows that the last statement changed.
  std::int64_t changes() const;

  // BEGIN IMMEDIATE, `work`, COMMIT; ROLLBACK if it fails.
  template <class Work>
  Result<void> transaction(Work work) {
    return within("BEGIN IMMEDIATE", std::move(work));
  }
  // The same for reading alone: all that `work` reads is of one moment, and no lock is taken
  // before the first read.
  template <class Work>
  Result<void> snapshot(Work work) {
    return within("BEGIN DEFERRED", std::move(work));
  }
  // The last failure in words for the operator.
  Error error() const;

 private:
  friend class Statement;
  template <class Work>
  Result<void> within(const char* begin, Work work) {
    if (auto begun = run(begin); !begun) return begun;
    auto done = work();
    if (done) done = run("COMMIT");
    if (!done) (void)run("ROLLBACK");
    return done;
  }

  struct Close {
    void operator()(sqlite3* handle) const noexcept;
  };
  std::unique_ptr<sqlite3, Close> handle_;
  std::string file_;
};

// Must not outlive its database; the database must not move while it lives.
class Statement {
 public:
  // Parameters are numbered from 1. A text must stay valid until the last step.
  Statement& bind(int parameter, std::string_view text);
  Statement& bind(int parameter, std::int64_t number);
  Statement& bind(int parameter, double number);
  // Bytes, which must stay valid until the last step.
  Statement& bind_bytes(int parameter, std::string_view bytes);
  // True if there is a row.
  Result<bool> step();
  // Columns of the row, numbered from 0.
  std::string text(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const noexcept;
  };
  Statement(Database* database, sqlite3_stmt* handle) : database_(database), handle_(handle) {}

  Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

}  // namespace embedrouter::ledger
