#pragma once
// Files that only their owner may read, from their first byte on. None of these functions throws.

#include <embedrouter/result.h>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace embedrouter::ledger {

// The folder and those above it that are missing, mode 0700. One that exists is left as it is.
Result<void> make_private_folder(const std::filesystem::path& folder);

// An empty file, mode 0600. One that exists is not touched and not even opened: closing a descriptor of a
// database would drop the locks that SQLite holds on it in this process.
Result<void> make_private_file(const std::filesystem::path& file);

// Replaces `file`, mode 0600: readers see the old bytes or all of the new ones, after a crash too.
Result<void> write_private_file(const std::filesystem::path& file, std::string_view bytes);

// At most `limit` bytes; nullopt if there is no such file. Refuses what others may read, a link and what is
// no plain file.
Result<std::optional<std::string>> read_private_file(const std::filesystem::path& file, std::size_t limit);

}  // namespace embedrouter::ledger
