#include "ledger/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include "base/random.h"
#include "base/sha256.h"

namespace embedrouter::ledger {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFileMode = 0600;
constexpr mode_t kFolderMode = 0700;

tl::unexpected<Error> cannot(const char* what, const fs::path& path, int error) {
  std::string message = std::string("cannot ") + what + " " + path.string() + ": " + std::strerror(error);
  if (error == EROFS || error == EACCES || error == EPERM)
    message += "; choose a data_dir that this user may write";
  if (error == ENOSPC || error == EDQUOT) message += "; free some space or choose another data_dir";
  return fail(ErrorCode::internal, std::move(message));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

// Zero, or the errno of what failed.
int write_whole(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0 ? 0 : errno;
}

int write_new(const fs::path& file, std::string_view bytes) {
  const Descriptor fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  return fd ? write_whole(fd.get(), bytes) : errno;
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

}  // namespace

Result<void> make_private_folder(const fs::path& folder) {
  struct stat status{};
  if (::stat(folder.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return {};
    return cannot("make the folder", folder, ENOTDIR);
  }
  const fs::path parent = folder.parent_path();
  if (!parent.empty() && parent != folder) {
    if (auto made = make_private_folder(parent); !made) return made;
  }
  // Another process may have been faster.
  if (::mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST)
    return cannot("make the folder", folder, errno);
  return {};
}

Result<void> make_private_file(const fs::path& file) {
  const Descriptor fd(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
  if (!fd && errno != EEXIST) return cannot("make", file, errno);
  return {};
}

Result<void> write_private_file(const fs::path& file, std::string_view bytes) {
  std::array<std::uint8_t, 8> random;
  secure_random(random);
  const fs::path folder = folder_of(file);
  const fs::path draft = folder / ("." + file.filename().string() + "." + to_hex(random));
  int error = write_new(draft, bytes);
  if (error == 0 && ::rename(draft.c_str(), file.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(draft.c_str());
    return cannot("write", file, error);
  }
  // The new name is durable only with its folder.
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) ::fsync(fd.get());
  return {};
}

Result<std::optional<std::string>> read_private_file(const fs::path& file, std::size_t limit) {
  // O_NONBLOCK: a pipe in its place must not hang the reader.
  const Descriptor fd(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd && errno == ENOENT) return std::nullopt;
  if (!fd) return cannot("read", file, errno);
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return cannot("read", file, errno);
  if (!S_ISREG(status.st_mode))
    return fail(ErrorCode::internal, file.string() + " is not a plain file; remove it");
  if ((status.st_mode & 077) != 0) {
    return fail(
        ErrorCode::permission_denied,
        file.string() + " can be read by others, so it is not trusted; run: chmod 600 " + file.string());
  }
  std::string bytes(limit + 1, '\0');
  ssize_t got = 0;
  do {
    got = ::read(fd.get(), bytes.data(), bytes.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0) return cannot("read", file, errno);
  if (static_cast<std::size_t>(got) > limit) {
    return fail(ErrorCode::internal, file.string() + " is larger than expected; remove it");
  }
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

}  // namespace embedrouter::ledger
