#pragma once
// The shapes that operations have.

#include <embedrouter/call.h>

#include <memory>
#include <optional>
#include <string>

#include "sdk/answer.h"

namespace embedrouter::sdk {

// `body`: empty for none. Fails as the first of the three that does.
inline Result<ApiCall> call_of(const Operation& operation, Result<std::string> path,
                               Result<std::string> query, CallOptions options,
                               Result<std::string> body = std::string()) {
  for (auto* part : {&path, &query, &body}) {
    if (!*part) return fail(std::move(*part).error());
  }
  return ApiCall{.operation = operation.name,
                 .method = operation.method,
                 .path = *std::move(path),
                 .query = *std::move(query),
                 .accept = "application/json",
                 .body = body->empty() ? nullptr : std::make_shared<const std::string>(*std::move(body)),
                 .bearer = {},
                 .options = std::move(options)};
}

// One that fails before it is made, if it could not be written.
template <class T>
Call<T> ready(const std::shared_ptr<Connection>& connection, Result<ApiCall> call,
              typename Call<T>::Decode decode) {
  if (!call) return Call<T>(std::move(call).error());
  return {connection, *std::move(call), std::move(decode)};
}

// The answer is {"data": T}.
template <class T>
Call<T> data_call(const std::shared_ptr<Connection>& connection, const Operation& operation,
                  Result<std::string> path, Result<std::string> query, CallOptions options,
                  Result<std::string> body = std::string()) {
  return ready<T>(connection,
                  call_of(operation, std::move(path), std::move(query), std::move(options), std::move(body)),
                  [&operation](HttpResponse response) -> Result<T> {
                    auto answer = decode<DataOf<T>>(operation, std::move(response));
                    if (!answer) return fail(std::move(answer).error());
                    return std::move(answer->data);
                  });
}

// The answer is a T.
template <class T>
Call<T> body_call(const std::shared_ptr<Connection>& connection, const Operation& operation, std::string path,
                  Result<std::string> query, CallOptions options, Result<std::string> body = std::string()) {
  return ready<T>(connection,
                  call_of(operation, std::move(path), std::move(query), std::move(options), std::move(body)),
                  [&operation](HttpResponse response) { return decode<T>(operation, std::move(response)); });
}

}  // namespace embedrouter::sdk
