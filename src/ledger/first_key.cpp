#include "ledger/first_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace embedrouter::ledger {

std::filesystem::path cli_key_file(const std::filesystem::path& data_dir) { return data_dir / "cli.key"; }

Result<void> write_cli_key(const std::filesystem::path& data_dir, std::string_view key) {
  const std::filesystem::path file = cli_key_file(data_dir);
  const std::filesystem::path temporary = file.string() + ".new";
  const auto failed = [&] {
    return fail(ErrorCode::internal, "cannot write " + file.string() + ": " + std::strerror(errno));
  };
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) return failed();
  const std::string line = std::string(key) + '\n';
  const bool written = ::write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(descriptor) == 0;
  ::close(descriptor);
  if (!written || ::rename(temporary.c_str(), file.c_str()) != 0) return failed();
  return {};
}

Result<std::optional<std::string>> read_cli_key(const std::filesystem::path& data_dir) {
  const std::filesystem::path file = cli_key_file(data_dir);
  struct stat facts {};
  if (::stat(file.c_str(), &facts) != 0) return std::optional<std::string>();
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(ErrorCode::internal, file.string() + " can be read by others; run chmod 600 on it, or make a new key");
  }
  std::ifstream in(file);
  std::string key;
  std::getline(in, key);
  if (!in || key.empty()) return fail(ErrorCode::internal, file.string() + " holds no key; delete it, or set OPENROUTER_API_KEY");
  return std::optional(std::move(key));
}

Result<std::optional<std::string>> make_first_key(const std::filesystem::path& database, const std::filesystem::path& data_dir) {
  const SystemClock clock;
  auto store = KeyStore::open(database, clock);
  if (!store) return fail(std::move(store).error());
  auto size = (*store)->size();
  if (!size) return fail(std::move(size).error());
  if (*size != 0) return std::optional<std::string>();
  auto made = (*store)->create("first key", false);
  if (!made) return fail(std::move(made).error());
  if (auto kept = write_cli_key(data_dir, made->key); !kept) return fail(std::move(kept).error());
  return std::optional(std::move(made->key));
}

}  // namespace embedrouter::ledger
