#include "hub/digest.h"

#include <gtest/gtest.h>

#include <fstream>

#include "testing/temporary_folder.h"

namespace embedrouter::hub {
namespace {

constexpr const char* kSha256Abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kGitAbc = "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f";  // git hash-object of "abc"

TEST(Digest, is_read_from_entity_tags) {
  const std::string sha256 = kSha256Abc, git = kGitAbc;
  EXPECT_EQ(digest_of_etag('"' + sha256 + '"'), (Digest{Digest::Kind::sha256, sha256}));
  EXPECT_EQ(digest_of_etag("W/\"" + git + '"'), (Digest{Digest::Kind::git_blob, git}));
  EXPECT_EQ(digest_of_etag(sha256)->hex, sha256);
  EXPECT_EQ(digest_of_etag("\"F2BA8F84AB5C1BCE84A7B441CB1959CFC7093B7F\"")->hex, git);
  for (const std::string& bad :
       {std::string(), std::string("\"\""), std::string("\"d41d8cd98f00b204e9800998ecf8427e\""),
        std::string(64, 'g'), sha256 + "0"})
    EXPECT_FALSE(digest_of_etag(bad)) << bad;
}

TEST(Digest, of_a_file_is_that_of_sha256sum_and_git) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "f") << "abc";
  EXPECT_EQ(digest_of_file(folder.path() / "f", Digest::Kind::sha256)->hex, kSha256Abc);
  EXPECT_EQ(digest_of_file(folder.path() / "f", Digest::Kind::git_blob)->hex, kGitAbc);
  EXPECT_FALSE(digest_of_file(folder.path() / "absent", Digest::Kind::sha256));
  EXPECT_FALSE(digest_of_file(folder.path() / "absent", Digest::Kind::git_blob));
}

}  // namespace
}  // namespace embedrouter::hub
