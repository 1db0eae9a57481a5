// Every family against sentence-transformers: tests/golden/families, by make_families.py.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <future>
#include <map>

#include <simdjson.h>

#include "inference/local_model.h"
#include "inference/model_config.h"
#include "inference/test_model.h"
#include "tokenizer/tokenizer.h"

namespace embedrouter::inference {
namespace {

using tokenizer::Tokenizer;

namespace fs = std::filesystem;

constexpr double kTolerance = 1e-5;
constexpr std::size_t kEvery = 20;  // of the texts

fs::path family_folder(const std::string& family) {
  return golden("families") / family;
}

std::vector<std::string> some_texts() {
  std::vector<std::string> texts;
  simdjson::dom::parser parser;
  std::istringstream lines(read_file(golden("texts.jsonl")));
  std::size_t line_number = 0;
  for (std::string line; std::getline(lines, line); ++line_number) {
    std::string_view text;
    if (line_number % kEvery != 0) continue;
    EXPECT_EQ(parser.parse(line).get(text), simdjson::SUCCESS);
    texts.emplace_back(text);
  }
  EXPECT_EQ(texts.size(), 50U);
  return texts;
}

std::vector<float> floats_of(const fs::path& path) {
  const std::string bytes = read_file(path);
  std::vector<float> floats(bytes.size() / sizeof(float));
  std::memcpy(floats.data(), bytes.data(), floats.size() * sizeof(float));
  return floats;
}

std::unique_ptr<LocalModel> load_fp32(const fs::path& folder) {
  auto model =
      LocalModel::load({.folder = folder, .precision = Precision::fp32, .threads = 2, .name = "test/model"});
  if (!model) throw std::runtime_error(model.error().message());
  return std::move(*model);
}

Result<Vectors> embed(LocalModel& model, Job job) {
  std::promise<Result<Vectors>> promise;
  auto future = promise.get_future();
  model.submit(std::move(job),
               [&promise](Result<Vectors> vectors) { promise.set_value(std::move(vectors)); });
  return future.get();
}

// The texts cut to the model's length, as the reference cuts them.
Job job_of(const std::vector<std::string>& texts) {
  return {.texts = {texts.begin(), texts.end()}, .truncate = true};
}

void expect_vectors(LocalModel& model, Job job, const fs::path& expected_file, const std::string& what) {
  const std::size_t texts = job.texts.size();
  const auto vectors = embed(model, std::move(job));
  ASSERT_TRUE(vectors) << what << ": " << vectors.error().message();
  const auto expected = floats_of(expected_file);
  ASSERT_EQ(expected.size(), texts * vectors->width) << what;
  // Vectors of another length than one: in proportion to their largest number.
  const float largest =
      std::abs(*std::ranges::max_element(expected, {}, [](float v) { return std::abs(v); }));
  const double difference =
      max_difference({vectors->values.get(), expected.size()}, expected) / std::max(1.0F, largest);
  std::ostringstream shown;
  shown << difference;
  testing::Test::RecordProperty(what, shown.str());
  EXPECT_LE(difference, kTolerance) << what;
}

// A copy of a family's folder with some files of other content. Links to the others.
class Changed {
 public:
  Changed(const std::string& family, const std::map<std::string, std::string>& files)
      : folder_(fs::path(testing::TempDir()) / ("er_family_" + std::to_string(::getpid()) + "_" + family)) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    for (const auto& entry : fs::recursive_directory_iterator(family_folder(family))) {
      const fs::path to = folder_ / fs::relative(entry.path(), family_folder(family));
      if (entry.is_directory()) {
        fs::create_directory(to);
      } else {
        fs::create_symlink(entry.path(), to);
      }
    }
    for (const auto& [name, content] : files) {
      fs::remove(folder_ / name);
      if (!content.empty()) std::ofstream(folder_ / name) << content;
    }
  }
  ~Changed() { fs::remove_all(folder_); }
  Changed(const Changed&) = delete;
  Changed& operator=(const Changed&) = delete;
  const fs::path& folder() const { return folder_; }

 private:
  fs::path folder_;
};

std::string refusal(const std::string& family, const std::map<std::string, std::string>& files) {
  const Changed changed(family, files);
  const auto model =
      LocalModel::load({.folder = changed.folder(), .precision = Precision::fp32, .threads = 1});
  return model ? "accepted" : model.error().message();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

constexpr const char* kFamilies[] = {"bert", "distilbert", "mpnet", "roberta", "xlm-roberta"};

TEST(families, every_one_makes_the_reference_s_vectors_in_fp32) {
  const auto texts = some_texts();
  for (const char* family : kFamilies) {
    const auto model = load_fp32(family_folder(family));
    expect_vectors(*model, job_of(texts), family_folder(family) / "vectors.bin", family);
  }
}

TEST(families, every_pooling_activation_and_prompt_makes_the_reference_s_vectors) {
  const auto texts = some_texts();
  simdjson::dom::parser parser;
  simdjson::dom::array variants;
  const std::string list = read_file(golden("families/variants.json"));
  ASSERT_EQ(parser.parse(list).get(variants), simdjson::SUCCESS);
  std::size_t count = 0;
  for (const simdjson::dom::element variant : variants) {
    std::string_view family, name, input_type;
    ASSERT_FALSE(variant["family"].get(family));
    ASSERT_FALSE(variant["name"].get(name));
    std::map<std::string, std::string> files;
    simdjson::dom::object changed;
    ASSERT_FALSE(variant["files"].get(changed));
    for (const auto& [file, content] : changed) files[std::string(file)] = simdjson::minify(content);
    const Changed folder(std::string(family), files);
    const auto model = load_fp32(folder.folder());
    Job job = job_of(texts);
    if (!variant["input_type"].get(input_type)) job.input_type = std::string(input_type);
    expect_vectors(*model, std::move(job), family_folder(std::string(family)) / (std::string(name) + ".bin"),
                   std::string(family) + "_" + std::string(name));
    ++count;
  }
  EXPECT_GE(count, 10U);
}

TEST(families, a_cut_vector_is_the_first_numbers_at_unit_length) {
  const auto texts = some_texts();
  const auto model = load_fp32(family_folder("mpnet"));
  const auto whole = embed(*model, job_of(texts));
  Job job = job_of(texts);
  job.dimensions = 24;
  const auto cut = embed(*model, std::move(job));
  ASSERT_TRUE(whole && cut);
  ASSERT_EQ(cut->width, 24U);
  for (std::size_t t = 0; t < texts.size(); ++t) {
    const std::span from(whole->values.get() + t * whole->width, 24);
    const std::span got(cut->values.get() + t * 24, 24);
    double squares = 0;
    for (const float v : from) squares += double{v} * v;
    for (std::size_t i = 0; i < 24; ++i) EXPECT_NEAR(got[i], from[i] / std::sqrt(squares), 1e-6);
  }
}

TEST(families, what_a_model_cannot_do_is_the_caller_s_error_by_member) {
  const auto model = load_fp32(family_folder("xlm-roberta"));
  const auto unknown = embed(*model, {.texts = {"a"}, .input_type = "classification"});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code(), ErrorCode::invalid_request);
  EXPECT_EQ(unknown.error().param(), "input_type");
  const auto wide = embed(*model, {.texts = {"a"}, .dimensions = 65});
  ASSERT_FALSE(wide);
  EXPECT_EQ(wide.error().param(), "dimensions");
}

TEST(families, facts_tell_of_prompts_and_length) {
  EXPECT_TRUE(load_fp32(family_folder("mpnet"))->facts().symmetric);
  EXPECT_FALSE(load_fp32(family_folder("xlm-roberta"))->facts().symmetric);
  EXPECT_TRUE(load_fp32(family_folder("mpnet"))->facts().normalized);
  const auto dense = load_fp32(family_folder("distilbert"));
  EXPECT_FALSE(dense->facts().normalized);
  EXPECT_EQ(dense->facts().width, 40U);
}

std::size_t count_tokens(const Tokenizer& tokenizer, const std::string& text) {
  std::vector<std::uint32_t> ids;
  return tokenizer.encode(text, ids, 0xFFFF);
}

std::string one_token_longer(const Tokenizer& tokenizer, const std::string& text) {
  const std::size_t wanted = count_tokens(tokenizer, text) + 1;
  for (const char* more : {" !", "!", "~", "a", " a", " "}) {
    if (count_tokens(tokenizer, text + more) == wanted) return text + more;
  }
  throw std::runtime_error("nothing makes one token more");
}

// The lengths around the end of the position table, for each way to count positions.
TEST(families, g3_a_text_at_the_end_of_the_position_table_is_embedded_and_one_token_more_is_refused) {
  for (const char* family : kFamilies) {
    const auto config = read_model_config(family_folder(family));
    ASSERT_TRUE(config);
    const std::uint32_t most = config->positions();
    const auto model = LocalModel::load(
        {.folder = family_folder(family), .precision = Precision::fp32, .threads = 1, .max_tokens = most});
    ASSERT_TRUE(model) << model.error().message();
    const auto tokenizer = Tokenizer::load(family_folder(family) / "tokenizer.json");
    ASSERT_TRUE(tokenizer) << tokenizer.error().message();
    std::string text = "!";
    for (std::size_t tokens = most - 1; tokens <= most + 2; ++tokens) {
      while (count_tokens(**tokenizer, text) < tokens) text = one_token_longer(**tokenizer, text);
      const auto vectors = embed(**model, {.texts = {text}});
      ASSERT_EQ(vectors.has_value(), tokens <= most) << family << " " << tokens;
      if (!vectors) {
        EXPECT_EQ(vectors.error().code(), ErrorCode::context_length_exceeded);
      }
      if (tokens > most) {
        EXPECT_TRUE(embed(**model, {.texts = {text}, .truncate = true}));
      }
    }
  }
}

// Of files that are missing, cut or not of this model nothing is half loaded.
TEST(families, g5_a_missing_cut_or_foreign_file_is_refused_by_name) {
  const auto text_of = [](const std::string& family, const char* file) {
    return read_file(family_folder(family) / file);
  };
  for (const char* family : kFamilies) {
    EXPECT_NE(refusal(family, {{"config.json", ""}}).find("config.json: No such file"), std::string::npos);
    EXPECT_NE(refusal(family, {{"tokenizer.json", ""}}).find("tokenizer.json: cannot be read"),
              std::string::npos);
    const std::string json = text_of(family, "tokenizer.json");
    EXPECT_NE(refusal(family, {{"tokenizer.json", json.substr(0, json.size() / 2)}})
                  .find("tokenizer.json: not valid JSON"),
              std::string::npos);
  }
  EXPECT_NE(refusal("bert", {{"model.safetensors", ""}}).find("model.safetensors: No such file"),
            std::string::npos);
  const std::string weights = text_of("bert", "model.safetensors");
  EXPECT_NE(refusal("bert", {{"model.safetensors", weights.substr(0, weights.size() - 1)}})
                .find("not a usable safetensors file"),
            std::string::npos);
  EXPECT_NE(refusal("bert", {{"model.safetensors", ""}, {"pytorch_model.bin", "x"}})
                .find("pytorch_model.bin is not read"),
            std::string::npos);
  EXPECT_NE(
      refusal("bert", {{"model.safetensors", text_of("distilbert", "model.safetensors")}}).find("tensor"),
      std::string::npos);
  // One of several files.
  EXPECT_NE(refusal("roberta", {{"model-00002-of-00002.safetensors", ""}})
                .find("model-00002-of-00002.safetensors: No such file"),
            std::string::npos);
  EXPECT_NE(
      refusal("roberta", {{"model.safetensors.index.json", R"({"weight_map": {"a": "../x.safetensors"}})"}})
          .find("model.safetensors.index.json: \"weight_map\""),
      std::string::npos);
  EXPECT_NE(refusal("roberta", {{"model.safetensors.index.json",
                                 R"({"weight_map": {"a": "model-00001-of-00002.safetensors"}})"}})
                .find("is missing"),
            std::string::npos);
  EXPECT_NE(refusal("distilbert", {{"2_Dense/model.safetensors", ""}}).find("2_Dense/model.safetensors"),
            std::string::npos);
  EXPECT_NE(refusal("distilbert", {{"2_Dense/config.json", ""}}).find("2_Dense/config.json"),
            std::string::npos);
  EXPECT_NE(refusal("distilbert", {{"2_Dense/config.json",
                                    replaced(text_of("distilbert", "2_Dense/config.json"), "64", "32")}})
                .find("2_Dense/config.json: \"in_features\" is 32, what comes before makes 64"),
            std::string::npos);
}

}  // namespace
}  // namespace embedrouter::inference
