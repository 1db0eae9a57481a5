#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "base/task.h"

namespace embedrouter::testing {

// Runs a task to its end on an io_context of its own and returns what it gave.
template <class T>
T run_task(asio::io_context& io, Task<T> task) {
  std::optional<T> result;
  asio::co_spawn(io, std::move(task), [&](const std::exception_ptr& error, T value) {
    if (error) std::rethrow_exception(error);
    result.emplace(std::move(value));
  });
  io.restart();
  io.run();
  return *std::move(result);
}

template <class T>
T run_task(Task<T> task) {
  asio::io_context io{1};
  return run_task(io, std::move(task));
}

}  // namespace embedrouter::testing
