#include "ledger/first_key.h"

#include "ledger/private_file.h"

namespace embedrouter::ledger {
namespace {

constexpr std::size_t kLimit = 256;  // a key, and an editor's line ends
constexpr std::string_view kName = "first key";

}  // namespace

std::filesystem::path cli_key_file(const std::filesystem::path& data_dir) {
  return data_dir / "cli.key";
}

Result<std::optional<NewKey>> make_first_key(KeyStore& store, const std::filesystem::path& data_dir) {
  const auto size = store.size();
  if (!size) return fail(size.error());
  if (*size > 0) return std::nullopt;
  auto made = store.create(kName, false);
  if (!made) return fail(std::move(made).error());
  if (auto kept = write_cli_key(data_dir, made->key); !kept) {
    // Nobody has seen it yet, so nobody will miss it.
    (void)store.revoke(made->record.hash);
    return fail(std::move(kept).error());
  }
  return std::optional<NewKey>(std::move(*made));
}

Result<std::optional<std::string>> read_cli_key(const std::filesystem::path& data_dir) {
  const std::filesystem::path path = cli_key_file(data_dir);
  auto text = read_private_file(path, kLimit);
  if (!text || !*text) return text;
  const std::string_view key = std::string_view(**text).substr(0, (*text)->find_last_not_of(" \t\r\n") + 1);
  if (!is_key(key)) {
    return fail(ErrorCode::internal,
                path.string() + " holds no key; remove it, or write one that `embedrouter keys create` made");
  }
  return std::optional<std::string>(key);
}

Result<void> write_cli_key(const std::filesystem::path& data_dir, std::string_view key) {
  if (auto made = make_private_folder(data_dir); !made) return made;
  return write_private_file(cli_key_file(data_dir), std::string(key) + "\n");
}

}  // namespace embedrouter::ledger
