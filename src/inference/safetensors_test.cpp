#include "inference/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "inference/test_model.h"

namespace embedrouter::inference {
namespace {

std::string with_size(std::uint64_t size, const std::string& rest) {
  std::string file(8, '\0');
  for (int i = 0; i < 8; ++i) file[static_cast<std::size_t>(i)] = static_cast<char>(size >> (8 * i));
  return file + rest;
}
std::string file_of(const std::string& header, std::size_t data_bytes) {
  return with_size(header.size(), header + std::string(data_bytes, '\1'));
}

const std::string kGood =
    R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
    R"("b":{"dtype":"F32","shape":[1],"data_offsets":[16,20]}}     )";

TEST(safetensors, a_whole_file_gives_its_tensors) {
  const std::string file = file_of(kGood, 20);
  const auto directory = TensorDirectory::parse(file);
  ASSERT_TRUE(directory) << directory.error().message();
  const auto a = directory->numbers("a", {2, 2});
  ASSERT_TRUE(a) << a.error().message();
  EXPECT_EQ((*a)->bytes.size(), 16U);
  EXPECT_EQ((*a)->bytes.data(), file.data() + 8 + kGood.size());
  EXPECT_EQ(directory->find("__metadata__"), nullptr);
}

TEST(safetensors, every_truncation_of_a_file_is_refused) {
  const std::string file = file_of(kGood, 20);
  for (std::size_t size = 0; size < file.size(); ++size) {
    // A copy of exactly that size, so that a read behind the end is seen by the sanitizers.
    const std::unique_ptr<char[]> bytes(new char[size]);
    std::memcpy(bytes.get(), file.data(), size);
    EXPECT_FALSE(TensorDirectory::parse({bytes.get(), size})) << size;
  }
}

struct Hostile {
  const char* name;
  std::string file;
  const char* says;  // part of the message
};

std::string one(const std::string& entry, std::size_t data_bytes = 16) {
  return file_of("{\"a\":" + entry + "}", data_bytes);
}

std::vector<Hostile> hostile_files() {
  const std::string two =
      R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":)";
  return {
      {"empty", "", "shorter than its first field"},
      {"header_of_all_ones", with_size(~0ULL, "{}"), "header would be"},
      {"header_one_past_the_end", with_size(3, "{}"), "header would be"},
      {"huge_header", with_size(200'000'000, std::string(64, ' ')), "header would be"},
      {"no_header", with_size(0, "xxxx"), "not a JSON object"},
      {"header_is_a_list", file_of("[]", 0), "not a JSON object"},
      {"header_is_cut", file_of(R"({"a":{"dtype")", 0), "not a JSON object"},
      {"header_is_not_utf8", file_of("{\"\xff\":1}", 0), "not a JSON object"},
      {"deeply_nested", file_of("{\"a\":" + std::string(5000, '[') + std::string(5000, ']') + "}", 0),
       "not a JSON object"},
      {"entry_is_a_number", one("1"), "no dtype"},
      {"no_dtype", one(R"({"shape":[4],"data_offsets":[0,16]})"), "no dtype"},
      {"unknown_dtype", one(R"({"dtype":"F31","shape":[4],"data_offsets":[0,16]})"), "unknown dtype \"F31\""},
      {"no_shape", one(R"({"dtype":"F32","data_offsets":[0,16]})"), "no shape"},
      {"negative_extent", one(R"({"dtype":"F32","shape":[-4],"data_offsets":[0,16]})"), "other than counts"},
      {"fractional_extent", one(R"({"dtype":"F32","shape":[4.0],"data_offsets":[0,16]})"),
       "other than counts"},
      {"shape_overflows", one(R"({"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]})"),
       "overflows"},
      {"shape_overflows_to_the_right_size",
       one(R"({"dtype":"F32","shape":[4611686018427387908],"data_offsets":[0,16]})"), "overflows"},
      {"no_offsets", one(R"({"dtype":"F32","shape":[4]})"), "data_offsets"},
      {"three_offsets", one(R"({"dtype":"F32","shape":[4],"data_offsets":[0,8,16]})"), "data_offsets"},
      {"negative_offset", one(R"({"dtype":"F32","shape":[4],"data_offsets":[-16,0]})"), "data_offsets"},
      {"reversed_offsets", one(R"({"dtype":"F32","shape":[4],"data_offsets":[16,0]})"), "outside the file"},
      {"past_the_end", one(R"({"dtype":"F32","shape":[8],"data_offsets":[0,32]})"), "outside the file"},
      {"far_past_the_end",
       one(R"({"dtype":"F32","shape":[4],"data_offsets":[18446744073709551600,18446744073709551615]})"),
       "outside the file"},
      {"smaller_than_its_shape", one(R"({"dtype":"F32","shape":[5],"data_offsets":[0,16]})"),
       "its shape needs 20"},
      {"larger_than_its_shape", one(R"({"dtype":"F32","shape":[3],"data_offsets":[0,16]})"),
       "its shape needs 12"},
      {"overlapping", one(two + "[4,12]}", 12), "overlaps"},
      {"the_same_bytes_twice", one(two + "[0,8]}", 8), "overlaps"},
      {"a_hole", one(two + "[12,20]}", 20), "a hole before"},
      {"trailing_bytes", one(R"({"dtype":"F32","shape":[4],"data_offsets":[0,16]})", 17), "bytes follow"},
      {"listed_twice",
       file_of(
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
           8),
       "listed twice"},
  };
}

TEST(safetensors, hostile_files_are_refused_with_the_reason) {
  for (const Hostile& hostile : hostile_files()) {
    const auto directory = TensorDirectory::parse(hostile.file);
    ASSERT_FALSE(directory) << hostile.name;
    EXPECT_NE(directory.error().message().find(hostile.says), std::string::npos)
        << hostile.name << ": " << directory.error().message();
  }
}

TEST(safetensors, names_with_control_characters_are_shown_without_them) {
  const auto directory = TensorDirectory::parse(file_of(R"({"\u001b[31mred":1})", 0));
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().message().find('\x1b'), std::string::npos);
}

TEST(safetensors, a_tensor_of_another_name_type_shape_or_alignment_is_refused_by_name) {
  const std::string header =
      R"({"a":{"dtype":"I16","shape":[4],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2,3],)"
      R"("data_offsets":[8,32]}})";
  std::string file = file_of(header + std::string((8 - (header.size() % 8)) % 8, ' '), 32);
  const auto directory = TensorDirectory::parse(file);
  ASSERT_TRUE(directory) << directory.error().message();
  const auto says = [&](const char* name, std::initializer_list<std::uint64_t> shape) {
    const auto numbers = directory->numbers(name, shape);
    return numbers ? "nothing" : numbers.error().message();
  };
  EXPECT_NE(says("c", {1}).find("\"c\" is missing"), std::string::npos);
  EXPECT_NE(says("a", {4}).find("\"a\" is I16"), std::string::npos);
  EXPECT_NE(says("b", {3, 2}).find("\"b\" is 2 x 3, config.json asks for 3 x 2"), std::string::npos);
  EXPECT_EQ(says("b", {2, 3}), "nothing");

  const std::string shifted = file_of(R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4);
  const std::string moved = (reinterpret_cast<std::uintptr_t>(shifted.data()) + shifted.size()) % 4 == 0
                                ? file_of(R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} )", 4)
                                : shifted;
  const auto odd = TensorDirectory::parse(moved);
  ASSERT_TRUE(odd);
  EXPECT_FALSE(odd->numbers("b", {1}));
}

TEST(safetensors, halves_are_the_floats_they_stand_for) {
  const auto read = [](const char* dtype, std::uint16_t bits) {
    float value = 0;
    copy_floats({.dtype = dtype,
                 .size_of_number = 2,
                 .shape = {1},
                 .bytes = {reinterpret_cast<const char*>(&bits), 2}},
                0, 1, &value);
    return value;
  };
  EXPECT_EQ(read("F16", 0x3C00), 1.0F);
  EXPECT_EQ(read("F16", 0xC000), -2.0F);
  EXPECT_EQ(read("F16", 0x7BFF), 65504.0F);
  EXPECT_EQ(read("F16", 0x0001), 0x1p-24F);
  EXPECT_EQ(read("F16", 0x8001), -0x1p-24F);
  EXPECT_EQ(read("F16", 0x3555), 0x1.554p-2F);
  EXPECT_TRUE(std::signbit(read("F16", 0x8000)));
  EXPECT_TRUE(std::isinf(read("F16", 0x7C00)));
  EXPECT_TRUE(std::isnan(read("F16", 0x7E00)));
  EXPECT_EQ(read("BF16", 0x3F80), 1.0F);
  EXPECT_EQ(read("BF16", 0xC049), -3.140625F);
}

TEST(safetensors, a_missing_or_empty_file_is_an_error_that_names_it) {
  const auto missing = MappedFile::open("/nonexistent/model.safetensors");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message().find("/nonexistent/model.safetensors"), std::string::npos);
  EXPECT_FALSE(MappedFile::open("/dev/null"));
  EXPECT_FALSE(MappedFile::open("/tmp"));
}

TEST(safetensors, the_default_model_is_accepted_and_refused_when_a_byte_short) {
  const auto file = MappedFile::open(model_folder() / "model.safetensors");
  ASSERT_TRUE(file) << file.error().message();
  EXPECT_TRUE(TensorDirectory::parse(file->bytes()));
  EXPECT_FALSE(TensorDirectory::parse(file->bytes().substr(0, file->bytes().size() - 1)));
}

}  // namespace
}  // namespace embedrouter::inference
