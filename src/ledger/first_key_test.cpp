#include "ledger/first_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "ledger/folder_testing.h"

namespace embedrouter::ledger {
namespace {

using ::testing::HasSubstr;

TEST(FirstKey, is_made_once_and_kept_for_the_command_line) {
  const Folder folder;
  auto store = KeyStore::open(folder / "a.db").value();
  const auto made = make_first_key(*store, folder.path());
  ASSERT_TRUE(made);
  ASSERT_TRUE(*made);
  EXPECT_EQ(read_cli_key(folder.path()).value(), (*made)->key);
  EXPECT_EQ(mode_of(cli_key_file(folder.path())), 0600);
  EXPECT_FALSE((*made)->record.management);

  const auto again = make_first_key(*store, folder.path());
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again);
  EXPECT_EQ(store->size().value(), 1U);
}

TEST(FirstKey, is_not_made_beside_other_keys) {
  const Folder folder;
  auto store = KeyStore::open(folder / "a.db").value();
  ASSERT_TRUE(store->create("other", false));
  EXPECT_FALSE(make_first_key(*store, folder.path()).value());
  EXPECT_FALSE(read_cli_key(folder.path()).value());
}

TEST(FirstKey, does_not_stay_when_its_file_cannot_be_written) {
  const Folder folder;
  auto store = KeyStore::open(folder / "a.db").value();
  std::filesystem::create_directories(cli_key_file(folder.path()) / "in_the_way");
  const auto made = make_first_key(*store, folder.path());
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message(), HasSubstr("cannot write"));
  EXPECT_EQ(store->size().value(), 0U);
}

TEST(FirstKey, replaces_a_key_that_is_void) {
  const Folder folder;
  ASSERT_TRUE(write_cli_key(folder.path(), "sk-or-v1-" + std::string(64, '0')));
  auto store = KeyStore::open(folder / "a.db").value();
  const auto made = make_first_key(*store, folder.path());
  ASSERT_TRUE(made && *made);
  EXPECT_EQ(read_cli_key(folder.path()).value(), (*made)->key);
}

TEST(FirstKey, a_file_that_others_may_read_is_refused) {
  const Folder folder;
  ASSERT_TRUE(write_cli_key(folder.path(), "sk-or-v1-" + std::string(64, '0')));
  std::filesystem::permissions(cli_key_file(folder.path()), std::filesystem::perms(0640));
  const auto key = read_cli_key(folder.path());
  ASSERT_FALSE(key);
  EXPECT_THAT(key.error().message(), HasSubstr("chmod 600"));
}

TEST(FirstKey, a_file_without_a_key_is_refused_and_line_ends_are_not_part_of_it) {
  const Folder folder;
  const std::string key = "sk-or-v1-" + std::string(64, '0');
  ASSERT_TRUE(write_cli_key(folder.path(), key + "\r\n"));
  EXPECT_EQ(read_cli_key(folder.path()).value(), key);
  for (const std::string& bad : {std::string(), std::string("hello"), key + key, std::string(10'000, '0')}) {
    ASSERT_TRUE(write_cli_key(folder.path(), bad));
    EXPECT_FALSE(read_cli_key(folder.path())) << bad.size();
  }
}

}  // namespace
}  // namespace embedrouter::ledger
