#pragma once
// The key that `serve` makes for a new data directory, and where the command line on the same machine finds
// it: <data_dir>/cli.key, mode 0600.

#include <embedrouter/result.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/keys.h"

namespace embedrouter::ledger {

std::filesystem::path cli_key_file(const std::filesystem::path& data_dir);

// Makes a key if the store has none, and keeps it for the command line. nullopt if there are keys already. If
// the file cannot be written, no key is made.
Result<std::optional<NewKey>> make_first_key(KeyStore& store, const std::filesystem::path& data_dir);

// nullopt if there is none. Refuses a file that others may read, and one that holds no key.
Result<std::optional<std::string>> read_cli_key(const std::filesystem::path& data_dir);
Result<void> write_cli_key(const std::filesystem::path& data_dir, std::string_view key);

}  // namespace embedrouter::ledger
