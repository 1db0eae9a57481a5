#include "ledger/private_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "ledger/folder_testing.h"

namespace embedrouter::ledger {
namespace {

using ::testing::HasSubstr;

std::size_t entries(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(PrivateFile, is_replaced_whole_and_leaves_no_draft) {
  const Folder folder;
  ASSERT_TRUE(write_private_file(folder / "f", "one"));
  ASSERT_TRUE(write_private_file(folder / "f", "two"));
  EXPECT_EQ(read_private_file(folder / "f", 3).value(), "two");
  EXPECT_EQ(mode_of(folder / "f"), 0600);
  EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(PrivateFile, a_failed_write_leaves_nothing_behind) {
  const Folder folder;
  std::filesystem::create_directories(folder / "f/x");
  EXPECT_FALSE(write_private_file(folder / "f", "one"));
  EXPECT_EQ(entries(folder.path()), 1U);
  EXPECT_FALSE(write_private_file(folder / "none/f", "one"));
}

TEST(PrivateFile, an_existing_file_or_folder_is_left_as_it_is) {
  const Folder folder;
  std::ofstream(folder / "f") << "kept";
  std::filesystem::permissions(folder / "f", std::filesystem::perms(0644));
  ASSERT_TRUE(make_private_file(folder / "f"));
  EXPECT_EQ(mode_of(folder / "f"), 0644);
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0750));
  ASSERT_TRUE(make_private_folder(folder.path()));
  EXPECT_EQ(mode_of(folder.path()), 0750);
}

TEST(PrivateFile, reads_only_plain_files_that_no_other_may_read) {
  const Folder folder;
  EXPECT_EQ(read_private_file(folder / "none", 10).value(), std::nullopt);
  ASSERT_TRUE(write_private_file(folder / "f", "0123456789"));
  EXPECT_FALSE(read_private_file(folder / "f", 9));
  std::filesystem::create_symlink(folder / "f", folder / "link");
  EXPECT_FALSE(read_private_file(folder / "link", 10));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(read_private_file(folder / "pipe", 10).error().message(), HasSubstr("not a plain file"));
  std::filesystem::permissions(folder / "f", std::filesystem::perms(0604));
  EXPECT_THAT(read_private_file(folder / "f", 10).error().message(), HasSubstr("can be read by others"));
}

}  // namespace
}  // namespace embedrouter::ledger
