#pragma once
#include <embedrouter/result.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::hub {

// What is written down of an installed model, beside its files.
struct Manifest {
  struct File {
    std::string path;  // with '/'
    std::uint64_t size = 0;
    std::string sha256;  // 64 hex digits
    bool operator==(const File&) const = default;
  };
  std::string id;          // "BAAI/bge-small-en-v1.5": what requests call it
  std::string source;      // "https://huggingface.co/BAAI/bge-small-en-v1.5", or "folder"
  std::string revision;    // as it was asked for; empty for a folder
  std::string commit;      // what that was then; empty for a folder
  std::int64_t added = 0;  // unix seconds
  std::vector<File> files;

  std::uint64_t bytes() const noexcept;
  bool operator==(const Manifest&) const = default;
};

std::string in_mebibytes(std::uint64_t bytes);  // "86.7 MiB", rounded up

std::string write_manifest(const Manifest& manifest);
// Fails on what write_manifest() would not write: paths that lead elsewhere, too.
Result<Manifest> read_manifest(std::string_view json);

}  // namespace embedrouter::hub
