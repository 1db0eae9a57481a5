#pragma once
#include <filesystem>

#include "ledger/sqlite.h"

namespace embedrouter::ledger {

// Opens the database of keys and fingerprints for reading and writing, in WAL mode, every table of this
// release there. Makes the file and its folder (mode 0600, 0700) if there is none. Fails with a message that
// says what to do (no permission, disk full, not a database, made by a newer release). Several processes may
// have it open.
Result<Database> open_ledger(const std::filesystem::path& file);

}  // namespace embedrouter::ledger
