#include "hub/model_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/ascii.h"
#include "base/sha256.h"
#include "catalog/catalog.h"
#include "catalog/values.h"
#include "hub/files.h"

namespace embedrouter::hub {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRecord = "installed.json";
constexpr std::size_t kLongestId = 128;

auto cannot(const char* what, const fs::path& path, const std::string& why) {
  return fail(ErrorCode::internal, std::string("cannot ") + what + " " + path.string() + ": " + why);
}
auto cannot(const char* what, const fs::path& path, int error) {
  std::string why = std::strerror(error);
  if (error == ENOSPC || error == EDQUOT) why += "; free some space and run it again";
  return cannot(what, path, why);
}

// "baai--bge-small-en-v1.5". The default model's is what the default of model_dir says.
std::string folder_name(std::string_view id) {
  if (same_ignoring_case(id, catalog::kEmbeddedModelId)) id.remove_prefix(id.find('/') + 1);
  std::string name;
  for (const char c : id) {
    if (c == '/') {
      name += "--";
    } else {
      name += ascii_lower(c);
    }
  }
  return name;
}

int flush(const fs::path& path, int flags) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (fd < 0) return errno;
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return error;
}

Result<Installed> read_installed(const fs::path& folder) {
  std::ifstream file(folder / kRecord, std::ios::binary);
  const std::string json{std::istreambuf_iterator<char>(file), {}};
  auto manifest = read_manifest(json);
  if (!manifest) return cannot("use", folder / kRecord, manifest.error().message() + "; add the model again");
  return Installed{folder, *std::move(manifest)};
}

Result<void> write_record(const fs::path& folder, const Manifest& manifest) {
  const fs::path path = folder / kRecord;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << write_manifest(manifest) << std::flush;
  if (!file) return cannot("write", path, "the disk may be full");
  file.close();
  if (const int error = flush(path, 0); error != 0) return cannot("write", path, error);
  return {};
}

// Of every folder in which a file lies, so that the names are on the disk too.
Result<void> flush_folders(const fs::path& folder, const Manifest& manifest) {
  std::vector<fs::path> folders{folder};
  for (const Manifest::File& file : manifest.files) folders.push_back((folder / file.path).parent_path());
  for (const fs::path& each : folders) {
    if (const int error = flush(each, O_DIRECTORY); error != 0) return cannot("write", each, error);
  }
  return {};
}

// `draft` takes the place of `folder`; what was there is in `draft` then. Zero, or the errno of what failed.
int put_in_place(const fs::path& draft, const fs::path& folder) {
  if (::rename(draft.c_str(), folder.c_str()) == 0) return 0;
  if (errno != EEXIST && errno != ENOTEMPTY) return errno;
  if (::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system that cannot let two change places: for a moment neither is there.
  const fs::path aside = draft.string() + ".old";
  std::error_code ignored;
  fs::remove_all(aside, ignored);  // of one that ended in between
  const bool done = ::rename(folder.c_str(), aside.c_str()) == 0 &&
                    ::rename(draft.c_str(), folder.c_str()) == 0 &&
                    ::rename(aside.c_str(), draft.c_str()) == 0;
  return done ? 0 : errno;
}

}  // namespace

bool ModelStore::is_id(std::string_view id) {
  return catalog::is_model_id(id) && id.size() <= kLongestId && id.find(':') == std::string_view::npos &&
         id.find("--") == std::string_view::npos && !id.starts_with('.') && !id.starts_with('-');
}

std::vector<Installed> ModelStore::list(std::vector<std::string>& faults) const {
  std::vector<Installed> models;
  std::error_code error;
  for (auto entry = fs::directory_iterator(root_, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const fs::path& folder = entry->path();
    std::error_code ignored;
    if (folder.filename().string().starts_with('.') || !fs::exists(folder / kRecord, ignored)) continue;
    auto model = read_installed(folder);
    if (!model) {
      faults.push_back(model.error().message());
    } else if (!is_id(model->manifest.id) || folder_name(model->manifest.id) != folder.filename()) {
      faults.push_back(folder.string() + " is not the folder of " + model->manifest.id +
                       ", which its record names; add models with `embedrouter models add`");
    } else {
      models.push_back(*std::move(model));
    }
  }
  std::ranges::sort(models, {}, [](const Installed& model) { return model.manifest.id; });
  return models;
}

Result<std::optional<Installed>> ModelStore::find(std::string_view id) const {
  const fs::path folder = root_ / folder_name(id);
  std::error_code error;
  if (!fs::exists(folder / kRecord, error)) return std::optional<Installed>();
  auto model = read_installed(folder);
  if (!model) return fail(std::move(model).error());
  return std::optional(*std::move(model));
}

ModelStore::Change::Change(int lock, fs::path folder, fs::path draft)
    : lock_(lock), folder_(std::move(folder)), draft_(std::move(draft)) {}
ModelStore::Change::Change(Change&& other) noexcept
    : lock_(std::exchange(other.lock_, -1)),
      folder_(std::move(other.folder_)),
      draft_(std::move(other.draft_)) {}
ModelStore::Change::~Change() {
  if (lock_ >= 0) ::close(lock_);
}

Result<ModelStore::Change> ModelStore::change(std::string_view id,
                                              const std::function<void()>& wait_begins) const {
  std::error_code error;
  fs::create_directories(root_, error);
  if (error) return cannot("make the folder", root_, error.message() + "; choose another with --data-dir");
  const std::string name = folder_name(id);
  // The lock's file stays: a program that waits for it and one that would make it anew are then not two.
  const fs::path path = root_ / ("." + name + ".lock");
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return cannot("write", path, errno);
  Change change(fd, root_ / name, root_ / ("." + name + ".draft"));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) wait_begins();
    while (::flock(fd, LOCK_EX) != 0) {
      if (errno != EINTR) return cannot("lock", path, errno);
    }
  }
  fs::create_directories(change.draft_, error);
  if (error) return cannot("make the folder", change.draft_, error.message());
  return change;
}

Result<Installed> ModelStore::install(const Change& change, const Manifest& manifest) const {
  if (auto written = write_record(change.draft_, manifest); !written) return fail(std::move(written).error());
  if (auto flushed = flush_folders(change.draft_, manifest); !flushed)
    return fail(std::move(flushed).error());
  if (const int error = put_in_place(change.draft_, change.folder_); error != 0)
    return cannot("put the model at", change.folder_, error);
  if (const int error = flush(root_, O_DIRECTORY); error != 0) return cannot("write", root_, error);
  std::error_code ignored;
  fs::remove_all(change.draft_, ignored);  // the one that was there before
  return Installed{change.folder_, manifest};
}

void ModelStore::discard(const Change& change) const {
  std::error_code ignored;
  fs::remove_all(change.draft_, ignored);
}

Result<bool> ModelStore::remove(const Change& change) const {
  std::error_code error;
  const bool draft = !fs::is_empty(change.draft_, error);
  fs::remove_all(change.draft_, error);
  if (error) return cannot("remove", change.draft_, error.message());
  // First out of sight, whole; then file by file.
  if (::rename(change.folder_.c_str(), change.draft_.c_str()) != 0) {
    if (errno == ENOENT) return draft;
    return cannot("remove", change.folder_, errno);
  }
  fs::remove_all(change.draft_, error);
  if (error) return cannot("remove", change.draft_, error.message());
  return true;
}

Result<void> check_sizes(const Installed& model) {
  for (const Manifest::File& file : model.manifest.files) {
    const fs::path path = model.folder / file.path;
    std::error_code error;
    const std::uintmax_t size = fs::file_size(path, error);
    const std::string again = "; `embedrouter models add` installs it again";
    if (error) return fail(ErrorCode::internal, path.string() + ": " + error.message() + again);
    if (size != file.size) {
      return fail(ErrorCode::internal, path.string() + " has " + std::to_string(size) +
                                           " bytes and not the " + std::to_string(file.size) +
                                           " it was installed with" + again);
    }
  }
  return {};
}

Result<void> check_bytes(const Installed& model) {
  if (auto sizes = check_sizes(model); !sizes) return sizes;
  for (const Manifest::File& file : model.manifest.files) {
    const fs::path path = model.folder / file.path;
    const auto digest = sha256_file(path);
    if (!digest) return fail(digest.error());
    if (to_hex(*digest) != file.sha256) {
      return fail(ErrorCode::internal, path.string() +
                                           " is damaged: its sha256 is not the one it was installed with; "
                                           "`embedrouter models add` installs it again");
    }
  }
  return {};
}

Result<std::vector<Manifest::File>> record_files(const fs::path& folder,
                                                 const std::vector<std::string>& paths) {
  std::vector<Manifest::File> files;
  for (const std::string& path : paths) {
    const fs::path file = folder / path;
    const auto digest = sha256_file(file);
    if (!digest) return fail(digest.error());
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file, error);
    if (error) return cannot("read", file, error.message());
    if (const int failed = flush(file, 0); failed != 0) return cannot("write", file, failed);
    files.push_back({path, size, to_hex(*digest)});
  }
  return files;
}

Result<std::vector<std::string>> copy_model(const fs::path& from, const fs::path& draft) {
  std::vector<std::string> all;
  std::error_code error;
  constexpr auto kOptions = fs::directory_options::follow_directory_symlink;
  for (auto entry = fs::recursive_directory_iterator(from, kOptions, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry.depth() >= 1) entry.disable_recursion_pending();  // modules lie one folder down
    if (entry->is_regular_file(error)) all.push_back(entry->path().lexically_relative(from).generic_string());
  }
  if (error) return cannot("read", from, error.message());
  auto needed = files_needed(all);
  if (!needed) return fail(ErrorCode::invalid_request, from.string() + ": " + needed.error().message());
  fs::remove_all(draft, error);
  for (const std::string& path : *needed) {
    const fs::path to = draft / path;
    fs::create_directories(to.parent_path(), error);
    if (!error) fs::copy_file(from / path, to, error);
    if (error) return cannot("copy", from / path, error.message());
  }
  return needed;
}

}  // namespace embedrouter::hub
