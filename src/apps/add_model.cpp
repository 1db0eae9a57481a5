#include "apps/add_model.h"

#include <boost/asio/co_spawn.hpp>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <utility>

#include "apps/download_display.h"
#include "apps/installed_models.h"
#include "apps/local_embedding.h"
#include "apps/service.h"
#include "apps/upstream_options.h"
#include "hub/hub.h"
#include "hub/model_store.h"

namespace embedrouter::apps {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPause{30};  // of a hub that sends

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// `author/slug` is never a folder, whatever the folder one stands in holds.
bool is_folder(const std::string& what) {
  return what.starts_with('/') || what.starts_with("./") || what.starts_with("../") || what == "." ||
         what == "..";
}

Result<std::string> id_of(const AddOptions& options) {
  std::string id = options.id;
  if (id.empty() && is_folder(options.what)) {
    std::error_code error;
    id = "local/" + fs::weakly_canonical(options.what, error).filename().string();
  } else if (id.empty()) {
    id = options.what;
  }
  if (hub::ModelStore::is_id(id)) return id;
  if (!options.id.empty() || is_folder(options.what)) {
    return fail(ErrorCode::invalid_request,
                "\"" + id + "\" cannot be a model's id, which is author/slug; give it one with --id");
  }
  return fail(
      ErrorCode::invalid_request,
      "\"" + id +
          "\" is neither a hub's model, which is author/slug, nor a folder, which begins with / or ./");
}

Result<net::ClientOptions> reach(const net::Url& url) {
  net::ClientOptions options;
  options.deadlines.first_byte = options.deadlines.idle = kPause;
  auto proxy = environment_proxy(url);
  if (!proxy) return fail(std::move(proxy).error());
  options.proxy = *std::move(proxy);
  return options;
}

// Nobody answered.
bool is_away(const Error& error) {
  return error.code() == ErrorCode::upstream_unreachable || error.code() == ErrorCode::upstream_timeout;
}

// Its files are in the draft; what they are is written down. nullopt: it is installed already.
using Gathered = Result<std::optional<hub::Manifest>>;

class Adding {
 public:
  Adding(const AddOptions& options, std::string id, const hub::ModelStore& store,
         const hub::ModelStore::Change& change)
      : options_(options), store_(store), change_(change) {
    manifest_.id = std::move(id);
    manifest_.added =
        std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
  }

  Gathered from_folder() {
    auto paths = hub::copy_model(options_.what, change_.draft());
    if (!paths) return fail(std::move(paths).error());
    manifest_.source = "folder";
    return record(*paths);
  }

  Gathered from_hub() {
    const std::string revision = options_.revision.empty() ? "main" : options_.revision;
    asio::io_context io{1};
    hub::HubOptions options;
    if (const std::string endpoint = variable("HF_ENDPOINT"); !endpoint.empty()) options.endpoint = endpoint;
    options.token = variable("HF_TOKEN");
    options.reach = reach;
    auto hub = hub::Hub::make(io, std::move(options));
    if (!hub) return fail(std::move(hub).error());
    manifest_.source = (*hub)->endpoint() + "/" + options_.what;
    manifest_.revision = revision;
    const hub::Manifest known = whole_from_there();
    if (hub::is_commit(revision) && known.commit == revision) return std::optional<hub::Manifest>();

    auto done = download(io, **hub, known.commit);
    if (!done && is_away(done.error()) && known.revision == revision) {
      std::cerr << done.error().message() << "\n";
      std::cerr << "whether " << revision << " is another commit by now is not known\n";
      return std::optional<hub::Manifest>();
    }
    if (!done) return fail(std::move(done).error());
    manifest_.commit = done->revision.commit;
    if (done->files.empty()) return std::optional<hub::Manifest>();
    std::vector<std::string> paths;
    for (const hub::RemoteFile& file : done->files) paths.push_back(file.path);
    return record(paths);
  }

 private:
  // What is installed, if it is whole and of the same repository; else an empty one.
  hub::Manifest whole_from_there() const {
    const auto installed = store_.find(manifest_.id);
    const bool same = installed && *installed && (*installed)->manifest.source == manifest_.source;
    return same && hub::check_bytes(**installed) ? (*installed)->manifest : hub::Manifest();
  }

  Result<hub::Download> download(asio::io_context& io, hub::Hub& hub, const std::string& known_commit) {
    DownloadDisplay display(clock_);
    Result<hub::Download> done = fail(ErrorCode::internal, "the download ended without a result");
    asio::co_spawn(
        io, hub::download(hub, options_.what, manifest_.revision, known_commit, change_.draft(), display),
        [&](const std::exception_ptr& thrown, Result<hub::Download> result) {
          if (!thrown) done = std::move(result);
          io.stop();  // connections rest in the pool
        });
    io.run();
    return done;
  }

  Gathered record(const std::vector<std::string>& paths) {
    auto files = hub::record_files(change_.draft(), paths);
    if (!files) return fail(std::move(files).error());
    manifest_.files = *std::move(files);
    return std::optional(std::move(manifest_));
  }

  const AddOptions& options_;
  const hub::ModelStore& store_;
  const hub::ModelStore::Change& change_;
  const SystemClock clock_;
  hub::Manifest manifest_;
};

// Loads it and embeds a text: what the engine cannot run is not installed.
Result<inference::ModelFacts> try_out(const catalog::Config& config, const fs::path& folder,
                                      const std::string& id) {
  const inference::ModelOptions options = model_options(config.embedded, id, folder);
  const auto unfit = [&](const Error& error) {
    return fail(ErrorCode::invalid_request, "the embedding engine cannot run " + id + ": " + error.message());
  };
  auto model = inference::LocalModel::load(options);
  if (!model) return unfit(model.error());
  const auto vectors = embed_now(**model, {"Is this model whole?"});
  if (!vectors) return unfit(vectors.error());
  return (*model)->facts();
}

int complain(const Error& error) {
  std::cerr << error.message() << "\n";
  if (is_away(error)) return kTransport;
  return error.code() == ErrorCode::internal ? kFailure : exit_for_status(error.http_status());
}

Result<void> may_be_served(const catalog::Config& config, const hub::Installed& model) {
  if (is_standing(config, model.manifest.id)) return {};
  if (!is_chosen(config, model.manifest.id))
    return fail(ErrorCode::invalid_request, "[embedded] models names others; add it there");
  if (const auto sound = inspect_installed(config, model); !sound) return fail(sound.error());
  return {};
}

int add(const AddOptions& options, const catalog::Config& config, const std::string& id) {
  const hub::ModelStore store(catalog::models_path(config));
  auto change = begin_change(store, id);
  if (!change) return complain(change.error());
  Adding adding(options, id, store, *change);
  auto gathered = is_folder(options.what) ? adding.from_folder() : adding.from_hub();
  if (!gathered) return complain(gathered.error());
  if (!*gathered) {
    store.discard(*change);
    std::cout << id << " is installed already\n";
    return kOk;
  }
  const hub::Manifest& manifest = **gathered;
  auto facts = try_out(config, change->draft(), id);
  if (!facts) {
    store.discard(*change);
    return complain(facts.error());
  }
  hub::forget_download(change->draft());
  auto installed = store.install(*change, manifest);
  if (!installed) return complain(installed.error());
  std::cout << "added " << id << ": " << facts->width << " dimensions, at most " << facts->max_tokens
            << " tokens a text, " << hub::in_mebibytes(manifest.bytes())
            << (manifest.commit.empty() ? "" : ", commit " + manifest.commit) << "\n";
  if (const auto served = may_be_served(config, *installed); !served) {
    std::cerr << "but a router with this configuration does not serve it: " << served.error().message()
              << "\n";
  } else {
    std::cerr << "a router that runs serves it once it has read its configuration again: "
                 "kill -HUP $(pidof embedrouter)\n";
  }
  return kOk;
}

int misuse(const std::string& message) {
  std::cerr << message << "\n";
  return kUsage;
}

}  // namespace

int add_model(const AddOptions& options) {
  auto config = load(options.where, std::cerr);
  if (!config) return misuse(config.error().message());
  if (is_folder(options.what) && !options.revision.empty())
    return misuse("--revision is of a hub's model; a folder has none");
  const auto id = id_of(options);
  if (!id) return misuse(id.error().message());
  return add(options, *config, *id);
}

}  // namespace embedrouter::apps
