#pragma once
// The shapes that operations have.

#include <embedrouter/call.h>

#include <memory>
#include <optional>
#include <string>

#include "sdk/answer.h"

namespace embedrouter::sdk {

inline ApiCall call_of(const Operation& operation, std::string path, std::string query, CallOptions options,
                       std::optional<std::string> body = std::nullopt) {
  return {.operation = operation.name,
          .method = operation.method,
          .path = std::move(path),
          .query = std::move(query),
          .accept = "application/json",
          .body = body ? std::make_shared<const std::string>(*std::move(body)) : nullptr,
          .bearer = {},
          .options = std::move(options)};
}

// The answer is {"data": T}.
template <class T>
Call<T> data_call(const std::shared_ptr<Connection>& connection, const Operation& operation, std::string path,
                  std::string query, CallOptions options, std::optional<std::string> body = std::nullopt) {
  return {connection,
          call_of(operation, std::move(path), std::move(query), std::move(options), std::move(body)),
          [&operation](HttpResponse response) -> Result<T> {
            auto answer = decode<DataOf<T>>(operation, std::move(response));
            if (!answer) return fail(std::move(answer).error());
            return std::move(answer->data);
          }};
}

// The answer is a T.
template <class T>
Call<T> body_call(const std::shared_ptr<Connection>& connection, const Operation& operation, std::string path,
                  std::string body, CallOptions options) {
  return {connection, call_of(operation, std::move(path), {}, std::move(options), std::move(body)),
          [&operation](HttpResponse response) { return decode<T>(operation, std::move(response)); }};
}

}  // namespace embedrouter::sdk
