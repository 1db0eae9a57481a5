#pragma once
// Result<T>: a value or an Error. Only what tl::expected and std::expected share is used, so that it becomes
// the latter when the compilers allow: has_value, operator bool, *, ->, value, error, and_then, or_else,
// transform.

#include <embedrouter/error.h>

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace embedrouter {

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  using Base = tl::expected<T, Error>;

 public:
  using Base::Base;
  Result(Base base) : Base(std::move(base)) {}
};

// `return fail(ErrorCode::not_found, "…");` and, to pass a failure on, `return fail(std::move(x).error());`
inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error(code, std::move(message)));
}
inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace embedrouter
