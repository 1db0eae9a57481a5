#pragma once
#include <functional>
#include <span>
#include <utility>

namespace embedrouter {

// Sorts a short list by `key`, equal ones staying as they are; in place, without a buffer. Quadratic: for
// tens of elements. (libstdc++ 12's stable algorithms get their buffer from a function that is deprecated.)
template <class T, class Key>
void stable_sort_short(std::span<T> list, const Key& key) {
  for (std::size_t i = 1; i < list.size(); ++i) {
    for (std::size_t at = i; at > 0 && std::invoke(key, list[at]) < std::invoke(key, list[at - 1]); --at)
      std::swap(list[at], list[at - 1]);
  }
}

}  // namespace embedrouter
