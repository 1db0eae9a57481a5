#include "hub/manifest.h"

#include <gtest/gtest.h>

namespace embedrouter::hub {
namespace {

Manifest sample() {
  Manifest manifest;
  manifest.id = "BAAI/bge-small-en-v1.5";
  manifest.source = "https://huggingface.co";
  manifest.revision = "main";
  manifest.commit = std::string(40, 'c');
  manifest.added = 1'790'000'000;
  manifest.files = {{"1_Pooling/config.json", 190, std::string(64, 'a')},
                    {"model.safetensors", 5'000'000'000, std::string(64, 'b')}};
  return manifest;
}

TEST(Manifest, is_read_as_it_was_written) {
  const auto again = read_manifest(write_manifest(sample()));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, sample());
  EXPECT_EQ(again->bytes(), 5'000'000'190U);
}

TEST(Manifest, that_is_cut_or_names_files_elsewhere_is_refused) {
  const std::string whole = write_manifest(sample());
  for (std::size_t size = 0; size + 2 < whole.size(); ++size)
    EXPECT_FALSE(read_manifest(whole.substr(0, size)));
  for (const char* path : {"../x", "/x", "a/../../x", ".", "", "a//"}) {
    Manifest manifest = sample();
    manifest.files[0].path = path;
    EXPECT_FALSE(read_manifest(write_manifest(manifest))) << path;
  }
  Manifest manifest = sample();
  manifest.files[0].sha256 = "abc";
  EXPECT_FALSE(read_manifest(write_manifest(manifest)));
  manifest.files.clear();
  EXPECT_FALSE(read_manifest(write_manifest(manifest)));
}

}  // namespace
}  // namespace embedrouter::hub
