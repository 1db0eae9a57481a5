#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>
#include <thread>

#include "ledger/folder_testing.h"
#include "ledger/keys.h"

namespace embedrouter::ledger {
namespace {

using ::testing::HasSubstr;

constexpr std::chrono::hours kNever{1};  // the tests look for themselves

std::unique_ptr<KeyRing> watch(const std::filesystem::path& file,
                               std::chrono::milliseconds interval = kNever) {
  auto ring = KeyRing::watch(file, interval);
  EXPECT_TRUE(ring) << ring.error().message();
  return ring ? std::move(*ring) : nullptr;
}

TEST(KeyRing, knows_the_keys_of_the_database_and_no_others) {
  const Folder folder;
  auto store = KeyStore::open(folder / "a.db").value();
  const NewKey made = store->create("k", true).value();
  const auto ring = watch(folder / "a.db");
  const auto found = ring->find(made.key);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->hash, made.record.hash);
  EXPECT_EQ(found->name, "k");
  EXPECT_TRUE(found->management);
  EXPECT_EQ(ring->size(), 1U);

  std::string near = made.key;
  near.back() = near.back() == '0' ? '1' : '0';
  EXPECT_EQ(ring->find(near), nullptr);
  EXPECT_EQ(ring->find(made.record.hash), nullptr);
  EXPECT_EQ(ring->find(made.key + " "), nullptr);
  EXPECT_EQ(ring->find(""), nullptr);
  EXPECT_EQ(ring->find(std::string(1'000'000, 'x')), nullptr);
}

TEST(KeyRing, sees_keys_come_and_go) {
  const Folder folder;
  const auto ring = watch(folder / "a.db");  // makes the database
  EXPECT_EQ(ring->size(), 0U);
  auto store = KeyStore::open(folder / "a.db").value();
  const NewKey made = store->create("k", false).value();
  EXPECT_EQ(ring->find(made.key), nullptr);
  ring->refresh();
  const auto held = ring->find(made.key);
  ASSERT_NE(held, nullptr);
  ASSERT_TRUE(store->revoke(made.record.hash));
  ring->refresh();
  EXPECT_EQ(ring->find(made.key), nullptr);
  EXPECT_EQ(held->name, "k");  // what a request holds stays whole
  EXPECT_TRUE(ring->health().current);
}

TEST(KeyRing, a_disabled_key_is_not_found) {
  const Folder folder;
  auto store = KeyStore::open(folder / "a.db").value();
  const NewKey made = store->create("k", false).value();
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open((folder / "a.db").c_str(), &handle), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(handle, "UPDATE keys SET disabled = 1", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(handle);
  const auto ring = watch(folder / "a.db");
  EXPECT_EQ(ring->find(made.key), nullptr);
  EXPECT_EQ(ring->size(), 0U);
}

TEST(KeyRing, its_thread_sees_a_revocation_by_itself) {
  const Folder folder;
  auto store = KeyStore::open(folder / "a.db").value();
  const NewKey made = store->create("k", false).value();
  const auto ring = watch(folder / "a.db", std::chrono::milliseconds(1));
  ASSERT_NE(ring->find(made.key), nullptr);
  ASSERT_TRUE(store->revoke(made.record.hash));
  const SystemClock clock;
  const auto deadline = clock.now() + std::chrono::seconds(20);
  while (ring->find(made.key) != nullptr && clock.now() < deadline) std::this_thread::yield();
  EXPECT_EQ(ring->find(made.key), nullptr);
}

TEST(KeyRing, reads_while_a_writer_holds_the_database) {
  const Folder folder;
  auto store = KeyStore::open(folder / "a.db").value();
  const NewKey made = store->create("k", false).value();
  sqlite3* writer = nullptr;
  ASSERT_EQ(sqlite3_open((folder / "a.db").c_str(), &writer), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(writer, "BEGIN EXCLUSIVE; DELETE FROM keys", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto ring = watch(folder / "a.db");
  ring->refresh();
  EXPECT_NE(ring->find(made.key), nullptr);  // not committed
  EXPECT_TRUE(ring->health().current);
  ASSERT_EQ(sqlite3_exec(writer, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(writer);
  ring->refresh();
  EXPECT_EQ(ring->find(made.key), nullptr);
}

TEST(KeyRing, keeps_the_last_good_keys_while_the_database_is_gone) {
  const Folder folder;
  const NewKey made = KeyStore::open(folder / "a.db").value()->create("k", false).value();
  const auto ring = watch(folder / "a.db");
  std::filesystem::rename(folder / "a.db", folder / "away.db");
  ring->refresh();
  ring->refresh();
  EXPECT_NE(ring->find(made.key), nullptr);
  const KeyRing::Health health = ring->health();
  EXPECT_FALSE(health.current);
  EXPECT_EQ(health.failures, 2U);
  EXPECT_THAT(health.message, HasSubstr("a.db is gone; the keys last read stay valid"));
  EXPECT_FALSE(std::filesystem::exists(folder / "a.db"));  // an empty one in its place would void all keys

  std::filesystem::rename(folder / "away.db", folder / "a.db");
  ring->refresh();
  EXPECT_TRUE(ring->health().current);
  EXPECT_EQ(ring->health().message, "");
  EXPECT_NE(ring->find(made.key), nullptr);
}

TEST(KeyRing, follows_a_database_that_was_replaced) {
  const Folder folder;
  const NewKey old = KeyStore::open(folder / "a.db").value()->create("old", false).value();
  const NewKey fresh = KeyStore::open(folder / "b.db").value()->create("new", false).value();
  const auto ring = watch(folder / "a.db");
  for (const char* suffix : {"-wal", "-shm"})
    std::filesystem::remove(folder.path() / (std::string("a.db") + suffix));
  std::filesystem::rename(folder / "b.db", folder / "a.db");
  ring->refresh();
  EXPECT_TRUE(ring->health().current) << ring->health().message;
  EXPECT_EQ(ring->find(old.key), nullptr);
  EXPECT_NE(ring->find(fresh.key), nullptr);
}

TEST(KeyRing, keeps_the_last_good_keys_when_the_database_is_damaged) {
  const Folder folder;
  const NewKey made = KeyStore::open(folder / "a.db").value()->create("k", false).value();
  const auto ring = watch(folder / "a.db");
  std::ofstream(folder / "b.db") << std::string(8192, 'x');
  std::filesystem::rename(folder / "b.db", folder / "a.db");
  ring->refresh();
  EXPECT_FALSE(ring->health().current);
  EXPECT_THAT(ring->health().message, HasSubstr("not a database"));
  EXPECT_NE(ring->find(made.key), nullptr);
}

TEST(KeyRing, cannot_start_on_a_database_it_cannot_read) {
  const Folder folder;
  std::ofstream(folder / "a.db") << std::string(8192, 'x');
  const auto ring = KeyRing::watch(folder / "a.db");
  ASSERT_FALSE(ring);
  EXPECT_THAT(ring.error().message(), HasSubstr("not a database"));
}

TEST(KeyRing, two_rings_on_one_thread_do_not_mix) {
  const Folder folder;
  const NewKey one = KeyStore::open(folder / "1.db").value()->create("1", false).value();
  const NewKey two = KeyStore::open(folder / "2.db").value()->create("2", false).value();
  const auto first = watch(folder / "1.db");
  auto second = watch(folder / "2.db");
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(first->find(one.key), nullptr);
    EXPECT_EQ(first->find(two.key), nullptr);
    EXPECT_NE(second->find(two.key), nullptr);
  }
  second = watch(folder / "1.db");
  EXPECT_EQ(second->find(two.key), nullptr);
}

TEST(KeyRing, many_threads_find_while_keys_change) {
  const Folder folder;
  auto store = KeyStore::open(folder / "a.db").value();
  const NewKey stays = store->create("stays", false).value();
  const auto ring = watch(folder / "a.db", std::chrono::milliseconds(1));
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> misses = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (!stop) misses += ring->find(stays.key) == nullptr ? 1 : 0;
    });
  }
  for (int i = 0; i < 30; ++i) {
    const NewKey passing = store->create("passing", false).value();
    ring->refresh();
    EXPECT_NE(ring->find(passing.key), nullptr);
    ASSERT_TRUE(store->revoke(passing.record.hash));
    ring->refresh();
    EXPECT_EQ(ring->find(passing.key), nullptr);
  }
  stop = true;
  threads.clear();
  EXPECT_EQ(misses, 0U);
}

}  // namespace
}  // namespace embedrouter::ledger
