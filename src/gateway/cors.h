#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "net/message.h"

namespace embedrouter::gateway {

// What lets pages of other origins read the answer to `head` (fetch.spec.whatwg.org, "CORS protocol"), if
// `origins` has theirs or is "*". With no origins nothing is added: then no browser shows an answer to a
// page.
void allow_origin(const std::vector<std::string>& origins, const net::RequestHead& head,
                  net::Response& response);

// The answer to OPTIONS on a path that takes `allowed` ("GET, HEAD"), and to the question a browser puts
// before it sends a request with a key.
net::Response answer_options(const std::vector<std::string>& origins, const net::RequestHead& head,
                             const std::string& allowed);

}  // namespace embedrouter::gateway
