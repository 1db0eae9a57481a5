#pragma once
// The key that programs of this user on this machine use (DESIGN section 5): in <data_dir>/cli.key, mode 0600.

#include <embedrouter/result.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/keys.h"

namespace embedrouter::ledger {

std::filesystem::path cli_key_file(const std::filesystem::path& data_dir);

// Whole or not at all; readable by the owner alone from its first byte.
Result<void> write_cli_key(const std::filesystem::path& data_dir, std::string_view key);
// nullopt if there is none. Fails if others may read the file, or if it holds no key.
Result<std::optional<std::string>> read_cli_key(const std::filesystem::path& data_dir);

// If the store has no key: makes one, keeps it for the command line, and returns it to be shown. nullopt if there is one.
Result<std::optional<std::string>> make_first_key(const std::filesystem::path& database, const std::filesystem::path& data_dir);

}  // namespace embedrouter::ledger
