// The blocking forms, over the others.
#include <embedrouter/transport.h>

#include "sdk/waiting.h"

namespace embedrouter::sdk::inline v0 {

Result<HttpResponse> Transport::send_and_wait(HttpRequest request, std::stop_token stop) {
  const auto waiting = std::make_shared<Waiting<Result<HttpResponse>>>();
  send(std::move(request), std::move(stop),
       [waiting](Result<HttpResponse> answer) { waiting->put(std::move(answer)); });
  return waiting->wait();
}

Result<HttpResponse> Connection::run(ApiCall call) {
  const auto waiting = std::make_shared<Waiting<Result<HttpResponse>>>();
  start(std::move(call), [waiting](Result<HttpResponse> answer) { waiting->put(std::move(answer)); });
  return waiting->wait();
}

void Sleeper::sleep_and_wait(std::chrono::milliseconds duration, std::stop_token stop) {
  const auto waiting = std::make_shared<Waiting<bool>>();
  sleep(duration, std::move(stop), [waiting] { waiting->put(true); });
  waiting->wait();
}

}  // namespace embedrouter::sdk::inline v0
