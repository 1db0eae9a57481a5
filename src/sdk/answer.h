#pragma once
// What became of a call: from an HttpResponse to a value or to the Error it stands for.

#include <embedrouter/client_error.h>

#include <string>

#include "sdk/json_schema.h"
#include "sdk/operations.h"

namespace embedrouter::sdk {

// It has the success status of the operation, and JSON.
bool is_success(const Operation& operation, const HttpResponse& response);
// Of a response that is no success.
Error error_of(const Operation& operation, HttpResponse response);
// Of a success whose body is not what it should be.
Error validation_error(HttpResponse response, std::string what);

template <class T>
Result<T> decode(const Operation& operation, HttpResponse response) {
  if (!is_success(operation, response)) return fail(error_of(operation, std::move(response)));
  T out{};
  JsonReader in(response.body);
  if (read(in, out) && in.json.finish()) return out;
  return fail(validation_error(std::move(response), in.what()));
}

}  // namespace embedrouter::sdk
