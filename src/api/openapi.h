#pragma once
#include <string_view>

namespace embedrouter::api {

// The OpenAPI 3.1 document of everything the gateway answers: openapi.json, compiled in.
std::string_view openapi_document();

}  // namespace embedrouter::api
