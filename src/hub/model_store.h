#pragma once
#include <embedrouter/result.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/manifest.h"

namespace embedrouter::hub {

// A model in the store.
struct Installed {
  std::filesystem::path folder;
  Manifest manifest;
};

// The models of a data directory: a folder each below `root`, whole or not there at all, with a record
// (installed.json) of what they are. Programs that share it see each other's changes; one that has read a
// model's files keeps them when the model is replaced or removed.
class ModelStore {
 public:
  explicit ModelStore(std::filesystem::path root) : root_(std::move(root)) {}

  // Whether `id` may be a model's: "author/slug", as a catalog takes it, and fit for a folder's name.
  static bool is_id(std::string_view id);

  // All of them, by id. What cannot be read is told in `faults`, a message each, and left out.
  std::vector<Installed> list(std::vector<std::string>& faults) const;
  // Ignores the case of ASCII letters, as requests do. nullopt: it is not installed.
  Result<std::optional<Installed>> find(std::string_view id) const;

  // The right to change one model: one program at a time has it, for as long as it lives.
  class Change {
   public:
    Change(Change&& other) noexcept;
    Change(const Change&) = delete;
    ~Change();
    // Where the files are gathered. What an earlier change left unfinished is still there.
    const std::filesystem::path& draft() const noexcept { return draft_; }

   private:
    friend class ModelStore;
    Change(int lock, std::filesystem::path folder, std::filesystem::path draft);
    int lock_;
    std::filesystem::path folder_, draft_;
  };
  // Waits while another program has it; `wait_begins` is called first in that case.
  Result<Change> change(std::string_view id, const std::function<void()>& wait_begins) const;

  // Puts the draft, its files those of the manifest and already on the disk, in the model's place.
  Result<Installed> install(const Change& change, const Manifest& manifest) const;
  // What was gathered is of no use.
  void discard(const Change& change) const;
  // The model and what is left of drafts. False: there was neither.
  Result<bool> remove(const Change& change) const;

 private:
  std::filesystem::path root_;
};

// Every file is there and as long as it should be. The failure names the file and what is wrong.
Result<void> check_sizes(const Installed& model);
// And has the bytes it was installed with. Reads all of them.
Result<void> check_bytes(const Installed& model);

// Size and digest of `paths` in `folder`, which are flushed to the disk.
Result<std::vector<Manifest::File>> record_files(const std::filesystem::path& folder,
                                                 const std::vector<std::string>& paths);
// Copies what the engine needs from a folder into `draft`, whose files it replaces.
Result<std::vector<std::string>> copy_model(const std::filesystem::path& from,
                                            const std::filesystem::path& draft);

}  // namespace embedrouter::hub
