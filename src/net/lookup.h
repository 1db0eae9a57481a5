#pragma once
#include <embedrouter/result.h>

#include <boost/asio/ip/address.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/task.h"

namespace embedrouter::net {

// What the name of a host stands for now. Blocks as long as the resolver does; called from any thread.
using Lookup = std::function<Result<std::vector<asio::ip::address>>(const std::string& host)>;
Result<std::vector<asio::ip::address>> system_lookup(const std::string& host);

}  // namespace embedrouter::net
