#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "ledger/keys.h"

namespace embedrouter::ledger {
namespace {

constexpr std::chrono::milliseconds kPoll{250};

struct HashOfDigest {
  std::size_t operator()(const Sha256& digest) const noexcept {
    std::size_t first;   // a digest is as good as random
    std::memcpy(&first, digest.data(), sizeof first);
    return first;
  }
};
struct SameDigest {
  bool operator()(const Sha256& a, const Sha256& b) const noexcept { return equal_constant_time(a, b); }
};
using Keys = std::unordered_map<Sha256, std::shared_ptr<const KeyRecord>, HashOfDigest, SameDigest>;

Sha256 digest_of(std::string_view hex) {
  Sha256 digest{};
  const auto nibble = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  for (std::size_t i = 0; i < digest.size() && 2 * i + 1 < hex.size(); ++i) {
    digest[i] = static_cast<std::uint8_t>(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
  }
  return digest;
}

Result<std::shared_ptr<const Keys>> read(KeyStore& store) {
  auto records = store.list();
  if (!records) return fail(std::move(records).error());
  auto keys = std::make_shared<Keys>();
  for (KeyRecord& record : *records) {
    if (record.disabled) continue;
    const Sha256 digest = digest_of(record.hash);
    keys->emplace(digest, std::make_shared<const KeyRecord>(std::move(record)));
  }
  return std::shared_ptr<const Keys>(std::move(keys));
}

class WatchedKeyRing final : public KeyRing {
 public:
  WatchedKeyRing(std::unique_ptr<KeyStore> store, std::shared_ptr<const Keys> keys, std::int64_t version)
      : keys_(std::move(keys)), watcher_([this, store = std::move(store), version] { watch_changes(*store, version); }) {}

  ~WatchedKeyRing() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    watcher_.join();
  }

  std::shared_ptr<const KeyRecord> find(std::string_view key) const override {
    const std::shared_ptr<const Keys> keys = keys_.load(std::memory_order_acquire);
    const auto found = keys->find(sha256(key));
    return found == keys->end() ? nullptr : found->second;
  }
  std::size_t size() const override { return keys_.load(std::memory_order_acquire)->size(); }
  std::uint64_t failures() const override { return failures_.load(std::memory_order_relaxed); }

 private:
  // A database that cannot be read now leaves the last good keys in force and is tried again.
  void watch_changes(KeyStore& store, std::int64_t seen) {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kPoll, [this] { return stop_; })) {
      const auto version = store.version();
      if (version && *version == seen) continue;
      auto keys = read(store);
      if (!version || !keys) {
        failures_.fetch_add(1, std::memory_order_relaxed);
        continue;
      }
      keys_.store(*std::move(keys), std::memory_order_release);
      seen = *version;
    }
  }

  std::atomic<std::shared_ptr<const Keys>> keys_;
  std::atomic<std::uint64_t> failures_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread watcher_;
};

}  // namespace

Result<std::unique_ptr<KeyRing>> KeyRing::watch(const std::filesystem::path& database) {
  static const SystemClock clock;
  auto store = KeyStore::open(database, clock);
  if (!store) return fail(std::move(store).error());
  // The version first: a change between the two is then seen again, never missed.
  const auto version = (*store)->version();
  if (!version) return fail(version.error());
  auto keys = read(**store);
  if (!keys) return fail(std::move(keys).error());
  return std::make_unique<WatchedKeyRing>(*std::move(store), *std::move(keys), *version);
}

}  // namespace embedrouter::ledger
