#include "hub/download.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <fstream>
#include <utility>

#include "hub/files.h"
#include "hub/manifest.h"

namespace embedrouter::hub {
namespace {

namespace fs = std::filesystem;

constexpr int kTries = 5;  // in a row, without progress
constexpr std::chrono::milliseconds kFirstPause{250};
constexpr std::uint64_t kSpare = 16U << 20;  // of the disk, left to others
constexpr const char* kCommitFile = ".commit";
constexpr const char* kUnfinished = ".part";

bool may_pass(const Error& error) {
  switch (error.code()) {
    case ErrorCode::upstream_unreachable:
    case ErrorCode::upstream_timeout:
    case ErrorCode::upstream_error:
    case ErrorCode::upstream_invalid_answer:
    case ErrorCode::rate_limited:
      return true;
    default:
      return false;
  }
}

// How often something was tried in vain, and how long to wait before it is tried again.
class Patience {
 public:
  explicit Patience(Watcher& watcher) : watcher_(watcher) {}
  void refresh() { failures_ = 0; }
  // False: no more.
  Task<bool> wait(const Error& why) {
    if (!may_pass(why) || ++failures_ == kTries) co_return false;
    const std::chrono::milliseconds own = kFirstPause * (1 << (failures_ - 1));
    const std::chrono::milliseconds pause = why.retry_after().value_or(own);
    watcher_.waits(why, pause);
    const auto executor = co_await asio::this_coro::executor;
    Timer timer(executor, pause);
    co_await timer.async_wait(asio::as_tuple(kAwait));
    co_return true;
  }

 private:
  Watcher& watcher_;
  int failures_ = 0;
};

auto cannot(const char* what, const fs::path& path, const std::error_code& error) {
  return fail(ErrorCode::internal,
              std::string("cannot ") + what + " " + path.string() + ": " + error.message());
}

// Of another commit nothing is of use.
Result<void> keep_only(const fs::path& folder, const std::string& commit) {
  std::error_code error;
  std::string of;
  std::ifstream(folder / kCommitFile) >> of;
  if (of == commit) return {};
  fs::remove_all(folder, error);
  if (!error) fs::create_directories(folder, error);
  if (error) return cannot("write", folder, error);
  std::ofstream note(folder / kCommitFile);
  if (!(note << commit << '\n' << std::flush))
    return fail(ErrorCode::internal, "cannot write " + (folder / kCommitFile).string());
  return {};
}

std::uint64_t size_of(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  return error ? 0 : size;
}

fs::path unfinished(const fs::path& folder, const RemoteFile& file) {
  return folder / (file.path + kUnfinished);
}

bool is_finished(const fs::path& folder, const RemoteFile& file) {
  const fs::path path = folder / file.path;
  std::error_code error;
  if (!fs::exists(path, error) || size_of(path) != file.size) return false;
  const auto digest = digest_of_file(path, file.digest.kind);
  return digest && *digest == file.digest;
}

Result<void> room_for(std::uint64_t bytes, const fs::path& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  if (error || space.available >= bytes + kSpare) return {};
  return fail(ErrorCode::internal, folder.parent_path().string() +
                                       " has no room for the model: " + in_mebibytes(bytes) +
                                       " are needed and " + in_mebibytes(space.available) +
                                       " free; free some space, or choose another folder with --data-dir");
}

// One download under way.
class Downloading {
 public:
  Downloading(Hub& hub, fs::path folder, Watcher& watcher)
      : hub_(hub), folder_(std::move(folder)), watcher_(watcher) {}

  Task<Result<Download>> run(std::string id, std::string name, std::string known_commit) {
    auto revision = co_await find(std::move(id), std::move(name));
    if (!revision) co_return fail(std::move(revision).error());
    done_.revision = *std::move(revision);
    if (done_.revision.commit == known_commit) co_return std::move(done_);
    auto listed = co_await look_at_all();
    if (!listed) co_return fail(std::move(listed).error());
    if (auto room = begin(); !room) co_return fail(std::move(room).error());
    for (const RemoteFile& file : done_.files) {
      auto fetched = co_await bring(file);
      if (!fetched) co_return fail(std::move(fetched).error());
      before_ += file.size;
      watcher_.has(before_);
      watcher_.finished(file);
    }
    co_return std::move(done_);
  }

 private:
  Task<Result<Revision>> find(std::string id, std::string name) {
    Patience patience(watcher_);
    for (;;) {
      auto revision = co_await hub_.find(id, name);
      if (revision) co_return revision;
      const bool again = co_await patience.wait(revision.error());
      if (!again) co_return revision;
    }
  }

  Task<Result<void>> look_at_all() {
    auto needed = files_needed(done_.revision.files);
    if (!needed) co_return fail(std::move(needed).error());
    for (const std::string& path : *needed) {
      Patience patience(watcher_);
      for (;;) {
        auto file = co_await hub_.look(done_.revision, path);
        if (file) {
          done_.files.push_back(*std::move(file));
          break;
        }
        const bool again = co_await patience.wait(file.error());
        if (!again) co_return fail(std::move(file).error());
      }
    }
    co_return Result<void>();
  }

  Result<void> begin() {
    if (auto kept = keep_only(folder_, done_.revision.commit); !kept) return kept;
    std::uint64_t all = 0, already = 0;
    for (const RemoteFile& file : done_.files) {
      std::error_code error;
      fs::create_directories((folder_ / file.path).parent_path(), error);
      if (error) return cannot("write", folder_, error);
      all += file.size;
      already += std::min(file.size, size_of(folder_ / file.path) + size_of(unfinished(folder_, file)));
    }
    if (auto room = room_for(all - already, folder_); !room) return room;
    watcher_.begins(done_.revision, all, already);
    return {};
  }

  Task<Result<void>> bring(const RemoteFile& file) {
    if (is_finished(folder_, file)) co_return Result<void>();
    const fs::path path = unfinished(folder_, file);
    const auto changed = [this](std::uint64_t bytes) { watcher_.has(before_ + bytes); };
    auto partial = PartialFile::open(path, file.size, changed);
    if (!partial) co_return fail(std::move(partial).error());
    Patience patience(watcher_);
    // What is wrong may be what an earlier try left: once more from the start.
    for (int round = 0; round < 2; ++round) {
      auto whole = co_await complete(file, *partial, patience);
      if (!whole) co_return whole;
      if (auto synced = partial->sync(); !synced) co_return synced;
      auto digest = digest_of_file(path, file.digest.kind);
      if (!digest) co_return fail(std::move(digest).error());
      if (*digest == file.digest) {
        std::error_code error;
        fs::rename(path, folder_ / file.path, error);
        if (error) co_return cannot("write", folder_ / file.path, error);
        co_return Result<void>();
      }
      if (auto anew = partial->start_anew(); !anew) co_return anew;
    }
    co_return fail(ErrorCode::upstream_invalid_answer,
                   file.path + " as the hub sends it is not the file it says (its digest should be " +
                       file.digest.hex +
                       "): something on the way changes it, a proxy or a mirror; nothing was installed");
  }

  Task<Result<void>> complete(const RemoteFile& file, PartialFile& partial, Patience& patience) {
    std::uint64_t most = partial.have();
    while (!partial.complete()) {
      auto fetched = co_await hub_.fetch(done_.revision, file, partial);
      if (partial.have() > most) patience.refresh();
      most = std::max(most, partial.have());
      if (fetched) continue;
      const bool again = co_await patience.wait(fetched.error());
      if (!again) co_return fetched;
    }
    co_return Result<void>();
  }

  Hub& hub_;
  const fs::path folder_;
  Watcher& watcher_;
  Download done_;
  std::uint64_t before_ = 0;  // bytes of the files that are finished
};

}  // namespace

void forget_download(const fs::path& folder) {
  std::error_code ignored;
  fs::remove(folder / kCommitFile, ignored);
}

Task<Result<Download>> download(Hub& hub, std::string id, std::string revision, std::string known_commit,
                                fs::path folder, Watcher& watcher) {
  Downloading downloading(hub, std::move(folder), watcher);
  auto done = co_await downloading.run(std::move(id), std::move(revision), std::move(known_commit));
  co_return done;
}

}  // namespace embedrouter::hub
