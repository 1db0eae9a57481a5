#pragma once
#include <embedrouter/result.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hub/hub.h"

namespace embedrouter::hub {

// Who watches a download. Called from the thread that downloads.
class Watcher {
 public:
  // What will be there in the end. `already`: bytes of it that an earlier try has left.
  virtual void begins(const Revision& revision, std::uint64_t bytes, std::uint64_t already) = 0;
  // So much of everything is there. It may fall: what was damaged is fetched again.
  virtual void has(std::uint64_t bytes) = 0;
  virtual void finished(const RemoteFile& file) = 0;
  // It goes on after `wait`.
  virtual void waits(const Error& why, std::chrono::milliseconds wait) = 0;

 protected:
  ~Watcher() = default;
};

// What a download brings: files that are whole and checked, and on the disk. None: there was nothing to
// fetch.
struct Download {
  Revision revision;
  std::vector<RemoteFile> files;
};

// Fetches what the engine needs of a model into `folder`, which may hold what an earlier try left: of the
// same commit it is kept and gone on with, of another it is removed. A file has its name only when its digest
// is right. What may pass (no network, 5xx, 429, a cut transfer) is waited for and tried again, a few times
// without progress. Fails before the first byte where the disk has no room. Nobody else may use the folder
// meanwhile. Where `revision` is `known_commit`, nothing is fetched. The folder holds a note of its own
// beside the files, for a later try; forget_download() removes it once they are used.
Task<Result<Download>> download(Hub& hub, std::string id, std::string revision, std::string known_commit,
                                std::filesystem::path folder, Watcher& watcher);
void forget_download(const std::filesystem::path& folder);

}  // namespace embedrouter::hub
