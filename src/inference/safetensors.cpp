#include "inference/safetensors.h"

#include <fcntl.h>
#include <simdjson.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

namespace embedrouter::inference {
namespace {

constexpr std::uint64_t kLargestHeader = 100'000'000;  // as the format's own reader has it
constexpr std::size_t kLongestNameShown = 120;

auto broken(std::string what) {
  return fail(ErrorCode::internal,
              "not a usable safetensors file: " + std::move(what) +
                  "; fetch the model again, the file is damaged or not what its name says");
}

// Names come from the file: cut, and free of control characters, before they are shown.
std::string shown(std::string_view name) {
  std::string out = "\"";
  for (const char c : name.substr(0, kLongestNameShown))
    out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  return out + '"';
}

std::optional<std::uint64_t> element_size(std::string_view dtype) {
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 15> kSizes{{{"BOOL", 1},
                                                                               {"U8", 1},
                                                                               {"I8", 1},
                                                                               {"F8_E4M3", 1},
                                                                               {"F8_E5M2", 1},
                                                                               {"I16", 2},
                                                                               {"U16", 2},
                                                                               {"F16", 2},
                                                                               {"BF16", 2},
                                                                               {"I32", 4},
                                                                               {"U32", 4},
                                                                               {"F32", 4},
                                                                               {"I64", 8},
                                                                               {"U64", 8},
                                                                               {"F64", 8}}};
  for (const auto& [name, size] : kSizes) {
    if (name == dtype) return size;
  }
  return std::nullopt;
}

struct Extent {
  std::uint64_t begin, end;
  std::string_view name;
};

// Reads one entry of the directory. `data`: the bytes behind the header.
Result<std::pair<Tensor, Extent>> read_entry(std::string_view name, simdjson::dom::element entry,
                                             std::string_view data) {
  Tensor tensor;
  std::string_view dtype;
  if (entry["dtype"].get_string().get(dtype) != simdjson::SUCCESS) {
    return broken("tensor " + shown(name) + " has no dtype");
  }
  const auto size = element_size(dtype);
  if (!size) return broken("tensor " + shown(name) + " has the unknown dtype " + shown(dtype));
  tensor.dtype = dtype;
  tensor.size_of_number = *size;

  simdjson::dom::array dimensions, offsets;
  if (entry["shape"].get_array().get(dimensions) != simdjson::SUCCESS) {
    return broken("tensor " + shown(name) + " has no shape");
  }
  std::uint64_t bytes = *size;
  for (const simdjson::dom::element dimension : dimensions) {
    std::uint64_t extent = 0;
    if (dimension.get_uint64().get(extent) != simdjson::SUCCESS) {
      return broken("the shape of tensor " + shown(name) + " holds something other than counts");
    }
    if (__builtin_mul_overflow(bytes, extent, &bytes))
      return broken("the shape of tensor " + shown(name) + " overflows");
    tensor.shape.push_back(extent);
  }
  std::uint64_t begin = 0, end = 0;
  if (entry["data_offsets"].get_array().get(offsets) != simdjson::SUCCESS || offsets.size() != 2 ||
      offsets.at(0).get_uint64().get(begin) != simdjson::SUCCESS ||
      offsets.at(1).get_uint64().get(end) != simdjson::SUCCESS) {
    return broken("tensor " + shown(name) + " needs data_offsets of two counts");
  }
  if (begin > end || end > data.size()) {
    return broken("tensor " + shown(name) + " lies outside the file (bytes " + std::to_string(begin) +
                  " to " + std::to_string(end) + " of " + std::to_string(data.size()) + ")");
  }
  if (end - begin != bytes) {
    return broken("tensor " + shown(name) + " has " + std::to_string(end - begin) +
                  " bytes where its shape needs " + std::to_string(bytes));
  }
  tensor.bytes = data.substr(begin, end - begin);
  return std::pair{std::move(tensor), Extent{begin, end, name}};
}

std::optional<std::string> first_gap(std::vector<Extent> extents, std::uint64_t data_size) {
  std::ranges::sort(extents, [](const Extent& a, const Extent& b) {
    return std::pair{a.begin, a.end} < std::pair{b.begin, b.end};
  });
  std::uint64_t covered = 0;
  for (const Extent& extent : extents) {
    if (extent.begin < covered) return "tensor " + shown(extent.name) + " overlaps another";
    if (extent.begin > covered) return "there is a hole before tensor " + shown(extent.name);
    covered = extent.end;
  }
  if (covered != data_size) return "bytes follow the last tensor";
  return std::nullopt;
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const auto failed = [&path](const char* what) {
    return fail(ErrorCode::internal, std::string(what) + " " + path.string() + ": " + std::strerror(errno));
  };
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failed("cannot open");
  struct stat facts{};
  if (::fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size == 0) {
    ::close(file);
    return fail(ErrorCode::internal, path.string() + " is empty or not a regular file");
  }
  const auto size = static_cast<std::size_t>(facts.st_size);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  ::close(file);
  if (address == MAP_FAILED) return failed("cannot map");
  return MappedFile(address, size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : address_(std::exchange(other.address_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(address_, other.address_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (address_ != nullptr) ::munmap(address_, size_);
}

void MappedFile::release(std::string_view part) const noexcept {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  // Whole pages only; the mapping itself begins on one.
  const auto offset = static_cast<std::size_t>(part.data() - static_cast<const char*>(address_));
  const std::size_t begin = (offset + page - 1) / page * page, end = (offset + part.size()) / page * page;
  if (begin < end) ::madvise(static_cast<char*>(address_) + begin, end - begin, MADV_DONTNEED);
}

Result<TensorDirectory> TensorDirectory::parse(std::string_view file) {
  std::uint64_t header_size = 0;
  if (file.size() < sizeof header_size) return broken("it is shorter than its first field");
  for (std::size_t i = 0; i < sizeof header_size; ++i) {
    header_size |= std::uint64_t{static_cast<unsigned char>(file[i])} << (8 * i);
  }
  if (header_size > kLargestHeader || header_size > file.size() - sizeof header_size) {
    return broken("its header would be " + std::to_string(header_size) + " bytes long, the file has " +
                  std::to_string(file.size()));
  }
  TensorDirectory directory;
  directory.header_ = file.substr(sizeof header_size, header_size);
  const std::string_view data = file.substr(sizeof header_size + header_size);

  simdjson::dom::parser parser;
  simdjson::dom::object root;
  const simdjson::padded_string text(directory.header_);
  if (parser.parse(text).get_object().get(root) != simdjson::SUCCESS)
    return broken("its header is not a JSON object");
  std::vector<Extent> extents;
  for (const auto& [name, entry] : root) {
    if (name == "__metadata__") continue;
    auto tensor = read_entry(name, entry, data);
    if (!tensor) return fail(std::move(tensor).error());
    extents.push_back(tensor->second);
    if (!directory.tensors_.emplace(std::string(name), std::move(tensor->first)).second) {
      return broken("tensor " + shown(name) + " is listed twice");
    }
  }
  if (const auto gap = first_gap(std::move(extents), data.size())) return broken(*gap);
  return directory;
}

const Tensor* TensorDirectory::find(std::string_view name) const {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : &it->second;
}

Result<const Tensor*> TensorDirectory::numbers(std::string_view name,
                                               std::initializer_list<std::uint64_t> shape) const {
  const auto list = [](const auto& dimensions) {
    std::string out;
    for (const std::uint64_t d : dimensions) out += (out.empty() ? "" : " x ") + std::to_string(d);
    return out;
  };
  const Tensor* tensor = find(name);
  if (tensor == nullptr) return broken("tensor " + shown(name) + " is missing");
  if (tensor->dtype != "F32" && tensor->dtype != "F16" && tensor->dtype != "BF16") {
    return broken("tensor " + shown(name) + " is " + tensor->dtype +
                  ", only F32, F16 and BF16 are supported");
  }
  if (!std::ranges::equal(tensor->shape, shape)) {
    return broken("tensor " + shown(name) + " is " + list(tensor->shape) + ", config.json asks for " +
                  list(shape));
  }
  if (reinterpret_cast<std::uintptr_t>(tensor->bytes.data()) % tensor->size_of_number != 0) {
    return broken("tensor " + shown(name) + " is not aligned to its numbers");
  }
  return tensor;
}

namespace {

float from_half(std::uint16_t half) noexcept {
  const std::uint32_t sign = std::uint32_t{half & 0x8000U} << 16;
  const std::uint32_t exponent = half >> 10 & 0x1F, fraction = half & 0x3FF;
  if (exponent == 0)
    return std::copysign(static_cast<float>(fraction) * 0x1p-24F, std::bit_cast<float>(sign | 1));
  const std::uint32_t widened = exponent == 0x1F ? 0xFF : exponent + 112;
  return std::bit_cast<float>(sign | widened << 23 | fraction << 13);
}

}  // namespace

void copy_floats(const Tensor& tensor, std::size_t first, std::size_t count, float* out) {
  const char* from = tensor.bytes.data() + first * tensor.size_of_number;
  if (tensor.dtype == "F32") {
    std::memcpy(out, from, count * sizeof(float));
    return;
  }
  const bool is_half = tensor.dtype == "F16";
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, from + 2 * i, 2);
    out[i] = is_half ? from_half(bits) : std::bit_cast<float>(std::uint32_t{bits} << 16);
  }
}

}  // namespace embedrouter::inference
