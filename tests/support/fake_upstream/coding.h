#pragma once
// Content codings, and small bodies that stand for large ones.

#include <cstddef>
#include <string>
#include <string_view>

namespace embedrouter::fake_upstream {

// `coding`: gzip, br or zstd. `front`, then `blanks` blanks (whole mebibytes), then `rest`, compressed.
std::string compressed(std::string_view coding, std::string_view front, std::size_t blanks = 0,
                       std::string_view rest = {});

}  // namespace embedrouter::fake_upstream
