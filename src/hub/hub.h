#pragma once
#include <embedrouter/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hub/digest.h"
#include "hub/partial_file.h"
#include "hub/traveller.h"

namespace embedrouter::hub {

struct HubOptions {
  std::string endpoint = "https://huggingface.co";  // base URL
  std::string token;                                // told to the endpoint alone, and never logged
  Traveller::Reach reach;
};

// A model's repository at one commit.
struct Revision {
  std::string id;                  // "author/slug"
  std::string commit;              // 40 hex digits
  std::vector<std::string> files;  // paths
};

// Whether a revision is a commit itself, which never becomes another.
bool is_commit(std::string_view revision);

struct RemoteFile {
  std::string path;
  std::uint64_t size = 0;
  Digest digest;
};

// The HTTP of the Hugging Face hub and of what speaks like it. One request a call, nothing tried again. One
// thread.
//
// Failures: unauthorized and permission_denied (a token is missing, or may not read the model),
// model_not_found, rate_limited (with the wait it asks for), upstream_error (a 5xx), upstream_invalid_answer
// (not what a hub says), and those of net::Client. Messages say what to do.
class Hub {
 public:
  // A token does not go over plain HTTP, but to this machine.
  static Result<std::unique_ptr<Hub>> make(asio::io_context& io, HubOptions options);

  // `revision`: a branch, a tag or a commit.
  Task<Result<Revision>> find(std::string id, std::string revision);
  // Size and digest of one of its files.
  Task<Result<RemoteFile>> look(const Revision& revision, std::string path);
  // What `into` lacks of the file; after a failure it holds what came.
  Task<Result<void>> fetch(const Revision& revision, const RemoteFile& file, PartialFile& into);

  // "https://huggingface.co", for messages and for the record.
  const std::string& endpoint() const noexcept { return endpoint_; }

 private:
  Hub(asio::io_context& io, net::Url origin, HubOptions options);
  std::string target_of(const Revision& revision, const std::string& path) const;
  Error in_words(const net::ClientResponse& answer, const std::string& id, const std::string& what) const;
  Error unheard(Error error) const;

  std::string endpoint_, base_path_;
  bool has_token_;
  Traveller traveller_;
};

// Of the answer to GET /api/models/{id}/revision/{revision}.
Result<Revision> read_revision(std::string_view json, std::string id);

}  // namespace embedrouter::hub
