#include "ledger/keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "ledger/first_key.h"

namespace embedrouter::ledger {
namespace {

namespace fs = std::filesystem;

// A folder that goes with the test.
class Keys : public ::testing::Test {
 protected:
  Keys() {
    std::string name = (fs::temp_directory_path() / "embedrouter-keys-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    database = folder / "data" / "embedrouter.db";
  }
  ~Keys() override {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
  std::unique_ptr<KeyStore> open() {
    auto store = KeyStore::open(database, clock);
    EXPECT_TRUE(store) << store.error().message();
    return *std::move(store);
  }
  static mode_t mode(const fs::path& path) {
    struct stat facts{};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
    return facts.st_mode & 0777;
  }
  // Waits for what another thread does, for at most five seconds.
  static bool eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }

  ManualClock clock;
  fs::path folder, database;
};

TEST_F(Keys, a_new_key_is_shown_once_and_stored_as_its_hash) {
  const auto made = open()->create("laptop", false);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->key.size(), 73U);
  EXPECT_TRUE(made->key.starts_with("sk-or-v1-"));
  EXPECT_EQ(made->record.hash, to_hex(sha256(made->key)));
  EXPECT_EQ(made->record.label, made->key.substr(0, 12) + "..." + made->key.substr(69));
  for (const auto& file : fs::directory_iterator(database.parent_path())) {
    std::ifstream in(file.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    EXPECT_EQ(bytes.find(made->key.substr(9)), std::string::npos) << file.path();
  }
}

TEST_F(Keys, the_files_are_the_owners_alone) {
  ASSERT_TRUE(open()->create("laptop", false));
  EXPECT_EQ(mode(database.parent_path()), 0700U);
  for (const auto& file : fs::directory_iterator(database.parent_path()))
    EXPECT_EQ(mode(file.path()), 0600U) << file.path();
}

TEST_F(Keys, are_listed_newest_first_and_survive_reopening) {
  auto store = open();
  ASSERT_TRUE(store->create("old", false));
  clock.advance(std::chrono::seconds(5));
  ASSERT_TRUE(store->create("new", true));
  store = open();
  const auto list = store->list();
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[0].name, "new");
  EXPECT_TRUE((*list)[0].management);
  EXPECT_EQ((*list)[1].created_at, 1'700'000'000);
  EXPECT_EQ(*store->size(), 2U);
}

TEST_F(Keys, are_revoked_by_hash_prefix_or_label) {
  auto store = open();
  const auto a = store->create("a", false);
  const auto b = store->create("b", false);
  const auto c = store->create("c", false);
  EXPECT_TRUE(store->revoke(a->record.hash));
  EXPECT_TRUE(store->revoke(b->record.hash.substr(0, 8)));
  EXPECT_TRUE(store->revoke(c->record.label));
  EXPECT_EQ(*store->size(), 0U);
  EXPECT_EQ(store->revoke(a->record.hash).error().code(), ErrorCode::not_found);
}

TEST_F(Keys, a_short_prefix_names_no_key) {
  auto store = open();
  const auto made = store->create("a", false);
  EXPECT_EQ(store->revoke(made->record.hash.substr(0, 7)).error().code(), ErrorCode::not_found);
  EXPECT_EQ(store->revoke("").error().code(), ErrorCode::not_found);
}

TEST_F(Keys, a_ring_finds_a_key_and_nothing_like_it) {
  const auto good = open()->create("a", false);
  const auto ring = KeyRing::watch(database);
  ASSERT_TRUE(ring);
  const auto found = (*ring)->find(good->key);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->name, "a");
  EXPECT_EQ((*ring)->find(""), nullptr);
  EXPECT_EQ((*ring)->find(good->key.substr(0, 72)), nullptr);
  EXPECT_EQ((*ring)->find(good->key + "0"), nullptr);
  EXPECT_EQ((*ring)->find(good->record.hash), nullptr) << "the hash is not the key";
}

TEST_F(Keys, a_ring_sees_what_others_change) {
  auto store = open();
  const auto ring = KeyRing::watch(database);
  ASSERT_TRUE(ring);
  EXPECT_EQ((*ring)->size(), 0U);
  const auto made = store->create("a", false);
  EXPECT_TRUE(eventually([&] { return (*ring)->find(made->key) != nullptr; }));
  ASSERT_TRUE(store->revoke(made->record.hash));
  EXPECT_TRUE(eventually([&] { return (*ring)->find(made->key) == nullptr; }));
}

TEST_F(Keys, what_is_no_database_is_refused_with_what_to_do) {
  fs::create_directories(database.parent_path());
  std::ofstream(database) << std::string(5000, 'x');
  const auto store = KeyStore::open(database, clock);
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().message().find("move it away"), std::string::npos) << store.error().message();
}

TEST_F(Keys, a_folder_that_cannot_be_is_refused_with_its_name) {
  std::ofstream(folder / "data") << "a file, not a folder";
  const auto store = KeyStore::open(database, clock);
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().message().find("data"), std::string::npos);
}

TEST_F(Keys, the_first_key_is_made_once_and_kept_for_the_command_line) {
  const fs::path data_dir = database.parent_path();
  EXPECT_EQ(*read_cli_key(data_dir), std::nullopt);
  const auto first = make_first_key(*open(), data_dir);
  ASSERT_TRUE(first) << first.error().message();
  ASSERT_TRUE(first->has_value());
  EXPECT_EQ(mode(cli_key_file(data_dir)), 0600U);
  EXPECT_EQ(*read_cli_key(data_dir), (*first)->key);
  EXPECT_FALSE(make_first_key(*open(), data_dir)->has_value());
}

TEST_F(Keys, a_key_file_that_others_may_read_is_refused) {
  const fs::path data_dir = database.parent_path();
  ASSERT_TRUE(make_first_key(*open(), data_dir));
  ::chmod(cli_key_file(data_dir).c_str(), 0644);
  const auto key = read_cli_key(data_dir);
  ASSERT_FALSE(key);
  EXPECT_NE(key.error().message().find("chmod 600"), std::string::npos);
}

}  // namespace
}  // namespace embedrouter::ledger
