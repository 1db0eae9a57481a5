#include "hub/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace embedrouter::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(FilesNeeded, are_what_the_engine_reads_and_nothing_else) {
  const auto files = files_needed({".gitattributes", "1_Pooling/config.json", "2_Dense/config.json",
                                   "2_Dense/model.safetensors", "2_Dense/pytorch_model.bin", "README.md",
                                   "config.json", "config_sentence_transformers.json", "model.safetensors",
                                   "modules.json", "onnx/model.onnx", "openvino/config.json",
                                   "pytorch_model.bin", "sentence_bert_config.json", "tokenizer.json",
                                   "tokenizer_config.json", "vocab.txt", "adapter.safetensors"});
  ASSERT_TRUE(files) << files.error().message();
  EXPECT_THAT(*files, ElementsAre("1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors",
                                  "config.json", "config_sentence_transformers.json", "model.safetensors",
                                  "modules.json", "sentence_bert_config.json", "tokenizer.json"));
}

TEST(FilesNeeded, have_weights_in_parts_only_without_the_whole) {
  const std::vector<std::string> parts{"config.json", "model-00001-of-00002.safetensors",
                                       "model-00002-of-00002.safetensors", "model.safetensors.index.json",
                                       "tokenizer.json"};
  EXPECT_EQ(*files_needed(parts), parts);
  std::vector<std::string> both = parts;
  both.push_back("model.safetensors");
  EXPECT_THAT(*files_needed(both), ElementsAre("config.json", "model.safetensors", "tokenizer.json"));
}

TEST(FilesNeeded, may_have_the_encoder_in_a_module_of_its_own) {
  const std::vector<std::string> files{"0_Transformer/config.json", "0_Transformer/model.safetensors",
                                       "0_Transformer/tokenizer.json", "1_Pooling/config.json",
                                       "modules.json"};
  EXPECT_EQ(*files_needed(files), files);
  EXPECT_FALSE(
      files_needed({"1_Pooling/config.json", "1_Pooling/model.safetensors", "1_Pooling/tokenizer.json"}));
}

TEST(FilesNeeded, never_lead_out_of_the_folder) {
  const auto files =
      files_needed({"../config.json", "/etc/passwd", "1_Pooling/../../config.json", "1_../config.json",
                    "1_Pooling/sub/config.json", "config.json", "config.json", "model.safetensors",
                    "model-1-of-2/../x.safetensors", "tokenizer.json", "_Pooling/config.json"});
  EXPECT_THAT(*files, ElementsAre("config.json", "model.safetensors", "tokenizer.json"));
}

TEST(FilesNeeded, say_what_is_missing) {
  const auto why = [](const std::vector<std::string>& all) { return files_needed(all).error().message(); };
  EXPECT_THAT(why({"model.safetensors", "tokenizer.json"}), HasSubstr("no config.json"));
  EXPECT_THAT(why({"config.json", "model.safetensors", "vocab.txt"}), HasSubstr("no tokenizer.json"));
  EXPECT_THAT(why({"config.json", "tokenizer.json", "pytorch_model.bin"}), HasSubstr("PyTorch"));
  EXPECT_THAT(why({"config.json", "tokenizer.json", "model-00001-of-00002.safetensors"}),
              HasSubstr("no model.safetensors"));
}

}  // namespace
}  // namespace embedrouter::hub
