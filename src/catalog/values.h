#pragma once
// The small grammars of the configuration file. All pure; none throws.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::catalog {

// "500ms", "30s", "5m", "2h"; whole numbers only.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// "4096", "64KiB", "32MiB", "1GiB".
std::optional<std::uint64_t> parse_bytes(std::string_view text);

// ASCII only.
constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
std::string lower_case(std::string_view text);

// "author/slug" of [A-Za-z0-9._~-], and perhaps ":free", which is a model of its own; no other ':' and no
// '@', which begin suffixes and presets in requests.
bool is_model_id(std::string_view text);
// As a model id, but one part will do: "small".
bool is_alias(std::string_view text);
// Lower-case letters, digits and inner "-._", with at most one '/' before a region: "openai",
// "google-vertex/us-east5".
bool is_provider_slug(std::string_view text);
bool is_environment_name(std::string_view text);
// Letters a person can read: UTF-8 without control characters, 1 to `limit` bytes.
bool is_display_text(std::string_view text, std::size_t limit);
// Visible ASCII without quotes or commas, so that it can stand in a header.
bool is_header_token(std::string_view text);

// "127.0.0.1:8080", "[::1]:8080", "localhost:0". The host without its brackets.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
};
std::optional<ListenAddress> parse_listen(std::string_view text);
bool is_loopback(const ListenAddress& address);

// http or https, a host, no user, query or fragment. A trailing slash is no part of it.
bool is_base_url(std::string_view text);
// http, a host and perhaps a port; nothing else.
bool is_proxy_url(std::string_view text);

// An origin as browsers write it: scheme, host and a port that is not the scheme's own, in lower case,
// without a path.
bool is_origin(std::string_view text);

// `~` and `~/…` with `home` in place of the tilde; nullopt if `home` is needed and empty.
std::optional<std::filesystem::path> expand_home(std::string_view text, std::string_view home);

// The nearest of `known` if it is near enough to be what was meant, else empty.
std::string_view nearest(std::string_view text, const std::vector<std::string_view>& known);

}  // namespace embedrouter::catalog
