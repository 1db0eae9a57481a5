#pragma once
#include <embedrouter/result.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::inference {

// A read-only memory mapping of a whole file. The file must not be shortened while it is mapped: replace
// model files by renaming, never in place.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::string_view bytes() const noexcept { return {static_cast<const char*>(address_), size_}; }
  // Lets the system forget the pages of `part` (of bytes()); they are read again from the file when touched.
  void release(std::string_view part) const noexcept;

 private:
  MappedFile(void* address, std::size_t size) : address_(address), size_(size) {}
  void* address_ = nullptr;
  std::size_t size_ = 0;
};

struct Tensor {
  std::string dtype;  // as in the file: "F32", "BF16", "I64", …
  std::size_t size_of_number = 0;
  std::vector<std::uint64_t> shape;
  std::string_view bytes;  // into the file; exactly the shape's size
};

// `count` numbers of a tensor that is F32, F16 or BF16, from the one at `first` on.
void copy_floats(const Tensor& tensor, std::size_t first, std::size_t count, float* out);

// The directory of a safetensors file, checked whole before anything is used: header size, JSON, names,
// types, shapes, and that the tensors cover the data exactly, without overlap, hole or trailing bytes. Views
// into the bytes it was read from.
class TensorDirectory {
 public:
  // `file`: the whole file. Never crashes, whatever the bytes. Messages name the tensor, not the path.
  static Result<TensorDirectory> parse(std::string_view file);

  // The tensor of that name, which must be of exactly that shape, F32, F16 or BF16, and aligned to that. It
  // belongs to the directory.
  Result<const Tensor*> numbers(std::string_view name, std::initializer_list<std::uint64_t> shape) const;
  const Tensor* find(std::string_view name) const;
  std::string_view header() const noexcept { return header_; }

 private:
  std::map<std::string, Tensor, std::less<>> tensors_;
  std::string_view header_;
};

}  // namespace embedrouter::inference
