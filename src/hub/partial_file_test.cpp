#include "hub/partial_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "testing/temporary_folder.h"

namespace embedrouter::hub {
namespace {

class PartialFileTest : public ::testing::Test {
 protected:
  Result<PartialFile> open(std::uint64_t size) {
    return PartialFile::open(path_, size, [this](std::uint64_t bytes) { told_ = bytes; });
  }
  std::string bytes() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static net::Headers range(std::string_view value) {
    net::Headers headers;
    headers.add("Content-Range", value);
    return headers;
  }

  embedrouter::testing::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "f.part";
  std::uint64_t told_ = 99;
};

TEST_F(PartialFileTest, goes_on_where_it_was) {
  {
    auto file = open(8);
    ASSERT_TRUE(file) << file.error().message();
    EXPECT_EQ(file->range(), "");
    ASSERT_TRUE(file->wants(200, {}));
    EXPECT_TRUE(file->take("abc"));
    EXPECT_EQ(told_, 3U);
  }
  auto file = open(8);
  EXPECT_EQ(file->have(), 3U);
  EXPECT_EQ(file->range(), "bytes=3-");
  ASSERT_TRUE(file->wants(206, range("bytes 3-7/8")));
  EXPECT_TRUE(file->take("defgh"));
  EXPECT_TRUE(file->complete());
  EXPECT_TRUE(file->sync());
  EXPECT_EQ(bytes(), "abcdefgh");
}

TEST_F(PartialFileTest, begins_anew_where_the_answer_does) {
  std::ofstream(path_) << "old";
  auto file = open(4);
  ASSERT_TRUE(file->wants(200, {}));
  EXPECT_EQ(told_, 0U);
  EXPECT_TRUE(file->take("new!"));
  EXPECT_EQ(bytes(), "new!");
}

TEST_F(PartialFileTest, takes_no_other_part_than_it_asked_for) {
  std::ofstream(path_) << "abc";
  for (const char* other : {"bytes 2-7/8", "bytes 3-6/8", "bytes 3-7/9", "bytes 3-7/*", "3-7/8", ""}) {
    auto file = open(8);
    ASSERT_TRUE(file->wants(206, range(other)));
    EXPECT_EQ(file->take("defgh").error().code(), ErrorCode::upstream_invalid_answer) << other;
  }
  EXPECT_EQ(bytes(), "abc");
}

TEST_F(PartialFileTest, never_grows_past_its_size) {
  auto file = open(4);
  ASSERT_TRUE(file->wants(200, {}));
  EXPECT_FALSE(file->take("abcde"));
  EXPECT_EQ(bytes(), "");
  std::ofstream(path_) << "longer than it may be";
  EXPECT_EQ(open(4)->have(), 0U);
}

TEST_F(PartialFileTest, leaves_what_is_no_file_to_memory) {
  auto file = open(4);
  EXPECT_FALSE(file->wants(404, {}));
  EXPECT_FALSE(file->wants(302, {}));
  EXPECT_FALSE(open(4)->wants(503, {}));
}

TEST_F(PartialFileTest, says_when_the_disk_is_full) {
  auto file = PartialFile::open("/dev/full", 8, [](std::uint64_t) {});
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->wants(206, range("bytes 0-7/8")));
  const auto taken = file->take("abc");
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().message().find("free some space"), std::string::npos) << taken.error().message();
}

}  // namespace
}  // namespace embedrouter::hub
