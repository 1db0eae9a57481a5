#pragma once
#include <embedrouter/transport.h>

#include <memory>

#include "catalog/catalog.h"
#include "inference/local_model.h"

namespace embedrouter::local {

// Where it answers: nothing is ever connected to.
inline constexpr std::string_view kServerUrl = "http://in-process/api/v1";

// The embedded model as a server of its own: takes requests of the API, answers as the router would.
class LocalTransport final : public sdk::Transport {
 public:
  // The catalog holds that model alone.
  LocalTransport(std::unique_ptr<inference::LocalModel> model,
                 std::shared_ptr<const catalog::Catalog> catalog);
  // May be called by a callback, on a thread of the model's.
  ~LocalTransport() override;
  LocalTransport(const LocalTransport&) = delete;
  LocalTransport& operator=(const LocalTransport&) = delete;

  void send(sdk::HttpRequest request, std::stop_token stop, sdk::ResponseHandler done) override;

 private:
  void embed(const sdk::HttpRequest& request, std::stop_token stop, sdk::ResponseHandler done);

  std::unique_ptr<inference::LocalModel> model_;
  std::shared_ptr<const catalog::Catalog> catalog_;
};

}  // namespace embedrouter::local
