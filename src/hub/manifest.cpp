#include "hub/manifest.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "api/json_cursor.h"
#include "api/json_members.h"

namespace embedrouter::hub {
namespace {

namespace members = api::members;

std::string read_text(api::JsonCursor& json) {
  api::JsonString string;
  std::string storage;
  return json.read_string(string) ? std::string(api::text_of(string, storage)) : "";
}

std::uint64_t read_count(api::JsonCursor& json) {
  api::Decimal number;
  const bool whole =
      json.read_number(number) && !number.negative && !number.long_mantissa && number.exponent == 0;
  return whole ? number.mantissa : 0;
}

Manifest::File read_file(api::JsonCursor& json) {
  Manifest::File file;
  if (!json.enter('{')) return file;
  api::JsonString key;
  for (bool first = true; json.next_member(first, key);) {
    if (key.raw == "path") {
      file.path = read_text(json);
    } else if (key.raw == "size") {
      file.size = read_count(json);
    } else if (key.raw == "sha256") {
      file.sha256 = read_text(json);
    } else {
      json.skip();
    }
  }
  return file;
}

bool stays_inside(const std::string& path) {
  const std::filesystem::path parts(path);
  return !path.empty() && parts.is_relative() && path.find('\0') == std::string::npos &&
         std::ranges::none_of(parts,
                              [](const auto& part) { return part == ".." || part == "." || part.empty(); });
}

bool is_sha256(const std::string& hex) {
  return hex.size() == 64 && hex.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

std::uint64_t Manifest::bytes() const noexcept {
  return std::accumulate(files.begin(), files.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const File& file) { return sum + file.size; });
}

std::string in_mebibytes(std::uint64_t bytes) {
  constexpr std::uint64_t kMiB = 1U << 20;
  const std::uint64_t tenths = (bytes % kMiB * 10 + kMiB - 1) / kMiB + bytes / kMiB * 10;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " MiB";
}

std::string write_manifest(const Manifest& manifest) {
  std::string json = "{";
  members::text(json, "id", manifest.id);
  members::text(json, "source", manifest.source);
  members::text(json, "revision", manifest.revision);
  members::text(json, "commit", manifest.commit);
  members::number(json, "added", manifest.added);
  members::array(json, "files", manifest.files, [](std::string& out, const Manifest::File& file) {
    out += '{';
    members::text(out, "path", file.path);
    members::number(out, "size", static_cast<std::int64_t>(file.size));
    members::text(out, "sha256", file.sha256);
    out += '}';
  });
  return json += "}\n";
}

Result<Manifest> read_manifest(std::string_view json) {
  Manifest manifest;
  api::JsonCursor cursor(json);
  cursor.enter('{');
  api::JsonString key;
  for (bool first = true; cursor.next_member(first, key);) {
    if (key.raw == "id") {
      manifest.id = read_text(cursor);
    } else if (key.raw == "source") {
      manifest.source = read_text(cursor);
    } else if (key.raw == "revision") {
      manifest.revision = read_text(cursor);
    } else if (key.raw == "commit") {
      manifest.commit = read_text(cursor);
    } else if (key.raw == "added") {
      manifest.added = static_cast<std::int64_t>(read_count(cursor));
    } else if (key.raw == "files") {
      cursor.enter('[');
      for (bool first_file = true; cursor.next_element(first_file);)
        manifest.files.push_back(read_file(cursor));
    } else {
      cursor.skip();
    }
  }
  const bool sound = cursor.finish() && !manifest.id.empty() && !manifest.files.empty() &&
                     std::ranges::all_of(manifest.files, [](const Manifest::File& file) {
                       return stays_inside(file.path) && is_sha256(file.sha256);
                     });
  if (!sound) return fail(ErrorCode::internal, "this is not the record of an installed model");
  return manifest;
}

}  // namespace embedrouter::hub
