#pragma once
#include <embedrouter/result.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "net/client.h"

namespace embedrouter::hub {

// A file that is being downloaded: what is there stays there, and an answer goes on behind it. One thread.
class PartialFile final : public net::BodySink {
 public:
  // Opens `path`, or makes it. `size`: of the whole; more than that is never kept. `changed` is told of every
  // change of have().
  static Result<PartialFile> open(const std::filesystem::path& path, std::uint64_t size,
                                  std::function<void(std::uint64_t)> changed);
  PartialFile(PartialFile&& other) noexcept;
  PartialFile(const PartialFile&) = delete;
  ~PartialFile();

  std::uint64_t have() const noexcept { return have_; }
  bool complete() const noexcept { return have_ == size_; }
  // "bytes=1024-", which asks for the rest; empty where nothing is there yet.
  std::string range() const;

  // A 206 that goes on exactly behind what is there, or a 200, with which the file begins anew.
  bool wants(int status, const net::Headers& headers) override;
  Result<void> take(std::string_view bytes) override;

  Result<void> start_anew();
  // The bytes are on the disk, not only on their way.
  Result<void> sync();

 private:
  PartialFile(std::filesystem::path path, int fd, std::uint64_t size,
              std::function<void(std::uint64_t)> changed);
  tl::unexpected<Error> cannot(const char* what, int error) const;

  std::filesystem::path path_;
  int fd_;
  std::uint64_t size_, have_ = 0;
  std::function<void(std::uint64_t)> changed_;
  std::optional<Error> refused_;  // what is wrong with the answer that is coming in
};

}  // namespace embedrouter::hub
