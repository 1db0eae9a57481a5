#include <sys/stat.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <stop_token>
#include <system_error>
#include <thread>
#include <unordered_map>

#include "ledger/keys.h"

namespace embedrouter::ledger {
namespace {

namespace fs = std::filesystem;

struct DigestHash {
  // A digest is as good as random: any of its bytes will do.
  std::size_t operator()(const Sha256& digest) const noexcept {
    std::size_t first = 0;
    std::memcpy(&first, digest.data(), sizeof first);
    return first;
  }
};
struct DigestEqual {
  bool operator()(const Sha256& a, const Sha256& b) const noexcept { return equal_constant_time(a, b); }
};
using Snapshot = std::unordered_map<Sha256, std::shared_ptr<const KeyRecord>, DigestHash, DigestEqual>;

// Which file a path leads to; it changes when the file is replaced.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileId&) const = default;
};

std::optional<FileId> identify(const fs::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

std::optional<Sha256> from_hex(std::string_view hex) {
  Sha256 digest;
  if (hex.size() != digest.size() * 2) return std::nullopt;
  const auto value = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int high = value(hex[2 * i]);
    const int low = value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return digest;
}

Result<Snapshot> read_snapshot(KeyStore& store, const fs::path& file) {
  auto records = store.list();
  if (!records) return fail(std::move(records).error());
  Snapshot snapshot;
  for (KeyRecord& record : *records) {
    if (record.disabled) continue;
    const auto digest = from_hex(record.hash);
    if (!digest)
      return fail(ErrorCode::internal,
                  "the key database " + file.string() + " is damaged: a hash is malformed");
    snapshot.emplace(*digest, std::make_shared<const KeyRecord>(std::move(record)));
  }
  return snapshot;
}

// The database and how far it has been read. Of the thread that holds KeyRing's reading_ mutex.
class Reader {
 public:
  explicit Reader(fs::path file) : file_(std::move(file)) {}

  // The keys if they may have changed since the last call, else null.
  Result<std::shared_ptr<const Snapshot>> read() {
    auto snapshot = read_open();
    // Whatever went wrong, the next call starts from the file.
    if (!snapshot) store_.reset();
    return snapshot;
  }

 private:
  Result<std::shared_ptr<const Snapshot>> read_open() {
    if (auto opened = open(); !opened) return fail(std::move(opened).error());
    // Before the keys: a change between the two is seen again the next time.
    const auto version = store_->version();
    if (!version) return fail(version.error());
    if (version_ == *version) return nullptr;
    auto snapshot = read_snapshot(*store_, file_);
    if (!snapshot) return fail(std::move(snapshot).error());
    version_ = *version;
    return std::make_shared<const Snapshot>(std::move(*snapshot));
  }

  Result<void> open() {
    const auto now = identify(file_);
    // The first time it is made; later its absence is somebody's doing, and all keys would be void.
    if (!now && id_)
      return fail(ErrorCode::internal,
                  "the key database " + file_.string() + " is gone; the keys last read stay valid");
    if (store_ && now == id_) return {};
    auto store = KeyStore::open(file_);
    if (!store) return fail(std::move(store).error());
    store_ = std::move(*store);
    id_ = identify(file_);
    version_.reset();
    return {};
  }

  fs::path file_;
  std::unique_ptr<KeyStore> store_;
  std::optional<FileId> id_;
  std::optional<std::int64_t> version_;
};

class WatchingKeyRing final : public KeyRing {
 public:
  explicit WatchingKeyRing(const fs::path& file) : reader_(file) {}

  Result<void> start(std::chrono::milliseconds interval) {
    if (auto first = read(); !first) return first;
    try {
      thread_ = std::jthread([this, interval](const std::stop_token& stop) { run(stop, interval); });
    } catch (const std::system_error& error) {
      return fail(ErrorCode::internal,
                  std::string("cannot start the thread that watches the keys: ") + error.what());
    }
    return {};
  }

  std::shared_ptr<const KeyRecord> find(std::string_view key) const override {
    if (!is_key(key)) return nullptr;
    const Sha256 digest = sha256(key);
    const Snapshot& snapshot = *current();
    const auto found = snapshot.find(digest);
    return found == snapshot.end() ? nullptr : found->second;
  }

  std::size_t size() const override { return current()->size(); }

  void refresh() override { (void)read(); }

  Health health() const override {
    const std::lock_guard lock(state_);
    return health_;
  }

 private:
  void run(const std::stop_token& stop, std::chrono::milliseconds interval) {
    std::mutex idle;
    std::condition_variable_any woken;  // by the stop request alone
    std::unique_lock lock(idle);
    while (!woken.wait_for(lock, stop, interval, [&] { return stop.stop_requested(); })) refresh();
  }

  Result<void> read() {
    const std::lock_guard reading(reading_);
    auto snapshot = reader_.read();
    const std::lock_guard lock(state_);
    health_.current = snapshot.has_value();
    if (!snapshot) {
      ++health_.failures;
      health_.message = snapshot.error().message();
      return fail(std::move(snapshot).error());
    }
    health_.message.clear();
    if (*snapshot) {
      snapshot_ = std::move(*snapshot);
      generation_.fetch_add(1, std::memory_order_release);
    }
    return {};
  }

  // Each thread keeps the snapshot it saw last, so that a request costs one load instead of a lock on a line
  // that all threads write. It stays valid until this thread's next call.
  const std::shared_ptr<const Snapshot>& current() const {
    struct Seen {
      std::uint64_t ring = 0, generation = 0;
      std::shared_ptr<const Snapshot> snapshot;
    };
    thread_local Seen seen;
    if (seen.ring != id_ || seen.generation != generation_.load(std::memory_order_acquire)) {
      const std::lock_guard lock(state_);
      seen = {id_, generation_.load(std::memory_order_relaxed), snapshot_};
    }
    return seen.snapshot;
  }

  static std::uint64_t next_id() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  const std::uint64_t id_ = next_id();  // an address could come back and find another ring's snapshot
  std::mutex reading_;                  // taken before state_
  Reader reader_;
  mutable std::mutex state_;
  std::shared_ptr<const Snapshot> snapshot_;
  Health health_;
  std::atomic<std::uint64_t> generation_{0};
  std::jthread thread_;  // last: it stops before the rest goes
};

}  // namespace

Result<std::unique_ptr<KeyRing>> KeyRing::watch(const fs::path& database,
                                                std::chrono::milliseconds interval) {
  auto ring = std::make_unique<WatchingKeyRing>(database);
  if (auto started = ring->start(interval); !started) return fail(std::move(started).error());
  return ring;
}

}  // namespace embedrouter::ledger
