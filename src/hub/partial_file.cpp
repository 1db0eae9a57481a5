#include "hub/partial_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace embedrouter::hub {
namespace {

bool take_number(std::string_view& text, std::uint64_t& out) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  if (read.ec != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  return true;
}

bool take_char(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// "bytes 1024-4095/4096", exactly what was asked for.
bool is_rest(std::string_view range, std::uint64_t have, std::uint64_t size) {
  std::uint64_t first = 0, last = 0, whole = 0;
  constexpr std::string_view kUnit = "bytes ";
  if (!range.starts_with(kUnit)) return false;
  range.remove_prefix(kUnit.size());
  return take_number(range, first) && take_char(range, '-') && take_number(range, last) &&
         take_char(range, '/') && take_number(range, whole) && range.empty() && first == have &&
         last + 1 == size && whole == size;
}

}  // namespace

PartialFile::PartialFile(std::filesystem::path path, int fd, std::uint64_t size,
                         std::function<void(std::uint64_t)> changed)
    : path_(std::move(path)), fd_(fd), size_(size), changed_(std::move(changed)) {}

PartialFile::PartialFile(PartialFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      have_(other.have_),
      changed_(std::move(other.changed_)) {}

PartialFile::~PartialFile() {
  if (fd_ >= 0) ::close(fd_);
}

tl::unexpected<Error> PartialFile::cannot(const char* what, int error) const {
  std::string message = std::string("cannot ") + what + ' ' + path_.string() + ": " + std::strerror(error);
  if (error == ENOSPC || error == EDQUOT)
    message += "; free some space and run it again: it goes on where it was";
  return fail(ErrorCode::internal, std::move(message));
}

Result<PartialFile> PartialFile::open(const std::filesystem::path& path, std::uint64_t size,
                                      std::function<void(std::uint64_t)> changed) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
  PartialFile file(path, fd, size, std::move(changed));
  if (fd < 0) return file.cannot("write", errno);
  struct stat status{};
  if (::fstat(fd, &status) != 0) return file.cannot("read", errno);
  file.have_ = static_cast<std::uint64_t>(status.st_size);
  if (file.have_ > size) {
    if (auto anew = file.start_anew(); !anew) return fail(std::move(anew).error());
  }
  if (::lseek(fd, static_cast<off_t>(file.have_), SEEK_SET) < 0) return file.cannot("write", errno);
  file.changed_(file.have_);
  return file;
}

std::string PartialFile::range() const {
  return have_ == 0 ? "" : "bytes=" + std::to_string(have_) + "-";
}

bool PartialFile::wants(int status, const net::Headers& headers) {
  refused_.reset();
  if (status == 206) {
    if (!is_rest(headers.find("content-range").value_or(""), have_, size_)) {
      refused_.emplace(ErrorCode::upstream_invalid_answer,
                       "the hub answers another part of the file than was asked for");
    }
    return true;
  }
  if (status != 200) return false;
  if (have_ > 0) {
    if (auto anew = start_anew(); !anew) refused_ = std::move(anew).error();
  }
  return true;
}

Result<void> PartialFile::take(std::string_view bytes) {
  if (refused_) return fail(*refused_);
  if (bytes.size() > size_ - have_)
    return fail(ErrorCode::upstream_invalid_answer, "the hub sends more than the file's size");
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return cannot("write", errno);
    have_ += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  changed_(have_);
  return {};
}

Result<void> PartialFile::start_anew() {
  if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) < 0) return cannot("write", errno);
  have_ = 0;
  changed_(have_);
  return {};
}

Result<void> PartialFile::sync() {
  if (::fsync(fd_) != 0) return cannot("write", errno);
  return {};
}

}  // namespace embedrouter::hub
