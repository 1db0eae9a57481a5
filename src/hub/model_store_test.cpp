#include "hub/model_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "testing/temporary_folder.h"

namespace embedrouter::hub {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ModelStoreTest : public ::testing::Test {
 protected:
  static void write(const fs::path& file, std::string_view text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  static std::string read(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // What a user has: more than is needed.
  fs::path source(std::string_view weights = "weights") const {
    const fs::path folder = folder_.path() / "source";
    for (const char* file :
         {"config.json", "tokenizer.json", "README.md", "1_Pooling/config.json", "onnx/model.onnx"})
      write(folder / file, file);
    write(folder / "model.safetensors", weights);
    return folder;
  }
  ModelStore::Change change(std::string_view id) const {
    auto change = store_.change(id, [] {});
    EXPECT_TRUE(change);
    return *std::move(change);
  }
  Result<Installed> install(std::string id, const fs::path& from) const {
    const auto held = change(id);
    auto paths = copy_model(from, held.draft());
    if (!paths) return fail(std::move(paths).error());
    Manifest manifest;
    manifest.id = std::move(id);
    manifest.source = "folder";
    manifest.files = *record_files(held.draft(), *paths);
    return store_.install(held, manifest);
  }
  std::vector<Installed> listed() {
    faults_.clear();
    return store_.list(faults_);
  }

  embedrouter::testing::TemporaryFolder folder_;
  fs::path root_ = folder_.path() / "models";
  ModelStore store_{root_};
  std::vector<std::string> faults_;
};

TEST_F(ModelStoreTest, installs_what_is_needed_and_finds_it_again) {
  EXPECT_THAT(listed(), IsEmpty());
  const auto model = install("Me/Fine-Model", source());
  ASSERT_TRUE(model) << model.error().message();
  EXPECT_EQ(model->folder, root_ / "me--fine-model");
  EXPECT_EQ(read(model->folder / "1_Pooling/config.json"), "1_Pooling/config.json");
  EXPECT_FALSE(fs::exists(model->folder / "README.md"));
  EXPECT_FALSE(fs::exists(model->folder / "onnx"));
  ASSERT_THAT(listed(), SizeIs(1));
  EXPECT_EQ(listed()[0].manifest, model->manifest);
  EXPECT_TRUE(store_.find("me/FINE-model")->has_value());
  EXPECT_FALSE(store_.find("me/other")->has_value());
  EXPECT_TRUE(check_bytes(*model));
  EXPECT_THAT(faults_, IsEmpty());
}

TEST_F(ModelStoreTest, replaces_a_model_whole_while_its_files_are_in_use) {
  const auto old = install("me/it", source("old"));
  std::ifstream in_use(old->folder / "model.safetensors");
  ASSERT_TRUE(install("me/it", source("new weights")));
  EXPECT_EQ(read(old->folder / "model.safetensors"), "new weights");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in_use), {}), "old");
  EXPECT_THAT(listed(), SizeIs(1));
}

TEST_F(ModelStoreTest, puts_the_default_model_where_the_router_looks_for_it) {
  const auto model = install("sentence-transformers/all-MiniLM-L6-v2", source());
  EXPECT_EQ(model->folder, root_ / "all-minilm-l6-v2");
  EXPECT_THAT(listed(), SizeIs(1));
}

TEST_F(ModelStoreTest, removes_a_model_and_what_was_begun) {
  EXPECT_FALSE(*store_.remove(change("me/it")));
  ASSERT_TRUE(install("me/it", source()));
  write(change("me/it").draft() / "model.safetensors.part", "half");
  EXPECT_TRUE(*store_.remove(change("me/it")));
  EXPECT_THAT(listed(), IsEmpty());
  for (const auto& left : fs::directory_iterator(root_)) EXPECT_EQ(left.path().extension(), ".lock");
  write(change("me/it").draft() / "model.safetensors.part", "half");
  EXPECT_TRUE(*store_.remove(change("me/it")));
}

TEST_F(ModelStoreTest, lets_one_at_a_time_change_a_model) {
  std::atomic<bool> waited{false}, done{false};
  std::thread second;
  {
    const auto first = change("me/it");
    second = std::thread([&] {
      EXPECT_TRUE(store_.change("ME/it", [&] { waited = true; }));
      done = true;
    });
    while (!waited) std::this_thread::yield();
    EXPECT_TRUE(store_.change("me/other", [] { ADD_FAILURE() << "another model is free"; }));
    EXPECT_FALSE(done);
  }
  second.join();
  EXPECT_TRUE(done);
}

TEST_F(ModelStoreTest, names_the_file_that_is_not_what_was_installed) {
  const auto model = install("me/it", source());
  const fs::path weights = model->folder / "model.safetensors";
  write(weights, "weighty");
  EXPECT_TRUE(check_sizes(*model));
  EXPECT_THAT(check_bytes(*model).error().message(), HasSubstr("model.safetensors is damaged"));
  write(weights, "short");
  EXPECT_THAT(check_bytes(*model).error().message(),
              HasSubstr("model.safetensors has 5 bytes and not the 7"));
  fs::remove(weights);
  EXPECT_THAT(check_sizes(*model).error().message(), HasSubstr("model.safetensors: No such file"));
}

TEST_F(ModelStoreTest, leaves_out_what_it_cannot_read_and_says_so) {
  ASSERT_TRUE(install("me/it", source()));
  write(root_ / "broken/installed.json", "{");
  fs::create_directories(root_ / "not-of-ours");
  fs::copy(root_ / "me--it", root_ / "moved", fs::copy_options::recursive);
  EXPECT_THAT(listed(), SizeIs(1));
  EXPECT_THAT(faults_, SizeIs(2));
}

TEST_F(ModelStoreTest, refuses_a_folder_that_is_no_model) {
  fs::create_directories(folder_.path() / "empty");
  const auto none = install("me/it", folder_.path() / "empty");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message(), HasSubstr("no config.json"));
  EXPECT_THAT(install("me/it", folder_.path() / "absent").error().message(), HasSubstr("absent"));
}

TEST(ModelId, is_fit_for_a_folder) {
  for (const char* good : {"BAAI/bge-m3", "a/b", "a.b/c_d-e.f"}) EXPECT_TRUE(ModelStore::is_id(good)) << good;
  for (const char* bad :
       {"", "bge-m3", "/a", "a/", "a/b/c", "../x", ".a/b", "-a/b", "a--b/c", "a/b:free", "a b/c", "a/b\n"})
    EXPECT_FALSE(ModelStore::is_id(bad)) << bad;
}

}  // namespace
}  // namespace embedrouter::hub
