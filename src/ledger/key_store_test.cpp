#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "ledger/folder_testing.h"
#include "ledger/keys.h"

namespace embedrouter::ledger {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

std::unique_ptr<KeyStore> open(const std::filesystem::path& file) {
  auto store = KeyStore::open(file);
  EXPECT_TRUE(store) << store.error().message() << " / " << store.error().detail();
  return store ? std::move(*store) : nullptr;
}

void run_sql(const std::filesystem::path& file, const char* sql) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &handle), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
  sqlite3_close(handle);
}

std::string error_of(const std::filesystem::path& file) {
  const auto store = KeyStore::open(file);
  return store ? "" : store.error().message();
}

TEST(KeyStore, a_key_is_random_hex_and_its_record_holds_only_its_hash) {
  const Folder folder;
  ManualClock clock;
  auto store = KeyStore::open(folder / "a.db", clock);
  ASSERT_TRUE(store);
  const auto made = (*store)->create("my key", true);
  ASSERT_TRUE(made);
  EXPECT_THAT(made->key, MatchesRegex("sk-or-v1-[0-9a-f]+"));
  EXPECT_EQ(made->key.size(), 73U);
  EXPECT_TRUE(is_key(made->key));
  EXPECT_EQ(made->record.hash, to_hex(sha256(made->key)));
  EXPECT_EQ(made->record.label, made->key.substr(0, 12) + "..." + made->key.substr(69));
  EXPECT_EQ(made->record.name, "my key");
  EXPECT_TRUE(made->record.management);
  EXPECT_FALSE(made->record.disabled);
  EXPECT_EQ(made->record.created_at, 1'700'000'000);
  const auto other = (*store)->create("my key", false);
  ASSERT_TRUE(other);
  EXPECT_NE(other->key, made->key);
}

TEST(KeyStore, the_key_itself_is_nowhere_on_disk) {
  const Folder folder;
  auto store = open(folder / "a.db");
  const auto made = store->create("k", false);
  ASSERT_TRUE(made);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    EXPECT_EQ(bytes.find(made->key.substr(9)), std::string::npos) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 2U);  // the database and its log
}

TEST(KeyStore, lists_the_newest_first_and_survives_reopening) {
  const Folder folder;
  ManualClock clock;
  {
    auto store = KeyStore::open(folder / "a.db", clock);
    ASSERT_TRUE(store);
    ASSERT_TRUE((*store)->create("one", false));
    ASSERT_TRUE((*store)->create("two", true));  // in the same second
    clock.advance(std::chrono::seconds(1));
    ASSERT_TRUE((*store)->create("three", false));
  }
  auto store = open(folder / "a.db");
  const auto keys = store->list();
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 3U);
  EXPECT_EQ((*keys)[0].name, "three");
  EXPECT_EQ((*keys)[1].name, "two");
  EXPECT_TRUE((*keys)[1].management);
  EXPECT_EQ((*keys)[2].name, "one");
  EXPECT_EQ((*keys)[2].created_at, 1'700'000'000);
  EXPECT_EQ(store->size().value(), 3U);
}

TEST(KeyStore, revokes_by_hash_prefix_label_and_key) {
  const Folder folder;
  auto store = open(folder / "a.db");
  std::vector<NewKey> keys;
  for (int i = 0; i < 4; ++i) keys.push_back(store->create("k", false).value());
  EXPECT_EQ(store->revoke(keys[0].record.hash).value().hash, keys[0].record.hash);
  EXPECT_EQ(store->revoke(keys[1].record.hash.substr(0, 8)).value().hash, keys[1].record.hash);
  EXPECT_EQ(store->revoke(keys[2].record.label).value().hash, keys[2].record.hash);
  EXPECT_EQ(store->revoke(keys[3].key).value().hash, keys[3].record.hash);
  EXPECT_EQ(store->size().value(), 0U);
}

TEST(KeyStore, a_revocation_that_means_no_key_or_several_is_refused) {
  const Folder folder;
  auto store = open(folder / "a.db");
  const NewKey made = store->create("k", false).value();
  const std::string& hash = made.record.hash;
  EXPECT_EQ(store->revoke(std::string(64, 'f')).error().code(), ErrorCode::not_found);
  EXPECT_EQ(store->revoke("sk-or-v1-000...0000").error().code(), ErrorCode::not_found);
  for (const std::string& bad :
       {std::string(), hash.substr(0, 7), std::string("not a hash"), std::string("%%%%%%%%")}) {
    EXPECT_EQ(store->revoke(bad).error().code(), ErrorCode::not_found) << bad;
  }
  const std::string twin = hash.substr(0, 63) + (hash.back() == '0' ? '1' : '0');
  run_sql(folder / "a.db", ("INSERT INTO keys VALUES ('" + twin + "', 'l', 'n', 0, 0, 0)").c_str());
  const auto both = store->revoke(hash.substr(0, 20));
  ASSERT_FALSE(both);
  EXPECT_THAT(both.error().message(), HasSubstr("several keys are meant"));
  EXPECT_EQ(store->size().value(), 2U);
  EXPECT_TRUE(store->revoke(hash));
  EXPECT_EQ(store->revoke(hash).error().code(), ErrorCode::not_found);
}

TEST(KeyStore, names_are_checked) {
  const Folder folder;
  auto store = open(folder / "a.db");
  for (const std::string& bad : {std::string(), std::string(201, 'x'), std::string("a\nb"),
                                 std::string("a\0b", 3), std::string("\xff")}) {
    EXPECT_EQ(store->create(bad, false).error().code(), ErrorCode::invalid_request);
  }
  EXPECT_TRUE(store->create("\xC3\xA9 '; DROP TABLE keys; --", false));
  EXPECT_EQ(store->size().value(), 1U);
}

TEST(KeyStore, file_and_folder_are_private_whatever_the_umask) {
  const Folder folder;
  const mode_t old = ::umask(0);
  const auto store = open(folder.path() / "deep" / "data" / "a.db");
  ::umask(old);
  EXPECT_EQ(mode_of(folder / "deep"), 0700);
  EXPECT_EQ(mode_of(folder / "deep/data"), 0700);
  EXPECT_EQ(mode_of(folder / "deep/data/a.db"), 0600);
  EXPECT_EQ(mode_of(folder / "deep/data/a.db-wal"), 0600);
  EXPECT_EQ(mode_of(folder / "deep/data/a.db-shm"), 0600);
}

TEST(KeyStore, another_connections_commit_changes_the_version_and_only_that) {
  const Folder folder;
  auto one = open(folder / "a.db");
  auto two = open(folder / "a.db");
  const auto before = one->version().value();
  EXPECT_EQ(one->version().value(), before);
  ASSERT_TRUE(one->create("own", false));
  EXPECT_EQ(one->version().value(), before);
  ASSERT_TRUE(two->create("other", false));
  EXPECT_NE(one->version().value(), before);
}

TEST(KeyStore, many_may_open_a_new_database_and_write_at_once) {
  // The window in which one sees another's half-made file is short, so many new files are met.
  for (int round = 0; round < 20; ++round) {
    const Folder folder;
    std::atomic<int> made = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
          const auto store = KeyStore::open(folder / "a.db");
          ASSERT_TRUE(store) << store.error().message() << " / " << store.error().detail();
          for (int n = 0; n < 2; ++n) made += (*store)->create("k", false).has_value() ? 1 : 0;
        });
      }
    }
    ASSERT_EQ(made, 16);
    ASSERT_EQ(open(folder / "a.db")->size().value(), 16U);
  }
}

TEST(KeyStore, says_what_is_wrong_with_a_file_it_cannot_use) {
  const Folder folder;
  std::ofstream(folder / "text.db") << std::string(4096, 'x');
  EXPECT_THAT(error_of(folder / "text.db"), HasSubstr("it is not a database; move it away"));

  run_sql(folder / "other.db", "CREATE TABLE t (x); INSERT INTO t VALUES (1)");
  EXPECT_THAT(error_of(folder / "other.db"), HasSubstr("is a database of another program"));

  open(folder / "new.db").reset();
  run_sql(folder / "new.db", "PRAGMA user_version = 99");
  EXPECT_THAT(error_of(folder / "new.db"),
              HasSubstr("was made by a newer release (its version is 99, this release knows 2)"));

  std::ofstream(folder / "file") << "x";
  EXPECT_THAT(error_of(folder / "file/a.db"), HasSubstr("Not a directory"));
  EXPECT_THAT(error_of(folder.path()), HasSubstr("cannot be used"));
  EXPECT_THAT(error_of("/proc/embedrouter/a.db"), HasSubstr("cannot make the folder /proc/embedrouter"));
}

TEST(KeyStore, a_database_of_another_program_is_left_as_it_was) {
  const Folder folder;
  run_sql(folder / "other.db", "CREATE TABLE t (x)");
  const auto read = [&] {
    std::ifstream in(folder / "other.db", std::ios::binary);
    return std::string((std::istreambuf_iterator<char>(in)), {});
  };
  const std::string before = read();
  EXPECT_NE(error_of(folder / "other.db"), "");
  EXPECT_EQ(read(), before);
}

TEST(KeyStore, a_full_disk_is_an_error_and_loses_no_key) {
  const Folder folder;
  auto store = open(folder / "a.db");
  ASSERT_TRUE(store->create("kept", false));
  // A limit on file size stands for the disk: writes past it fail.
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto made = store->create("lost", false);
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message(), HasSubstr("a.db cannot be used: the disk"));
  EXPECT_THAT(made.error().message(), Not(HasSubstr("sk-or")));
  const auto keys = open(folder / "a.db")->list();
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 1U);
  EXPECT_EQ((*keys)[0].name, "kept");
}

TEST(KeyStore, the_form_of_a_key) {
  const std::string hex(64, 'a');
  EXPECT_TRUE(is_key("sk-or-v1-" + hex));
  for (const std::string& bad :
       {hex, "sk-or-v2-" + hex, "sk-or-v1-" + hex + "a", "sk-or-v1-" + hex.substr(1),
        "sk-or-v1-" + std::string(64, 'A'), "sk-or-v1-" + std::string(64, 'g'), std::string()}) {
    EXPECT_FALSE(is_key(bad)) << bad;
  }
}

}  // namespace
}  // namespace embedrouter::ledger
