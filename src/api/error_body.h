#pragma once
#include <embedrouter/error.h>

#include <string>
#include <string_view>

namespace embedrouter::api {

// The error envelope of CONTRACT 3.1: {"error":{"code":…,"message":…,"metadata":{…}},"user_id":null, …}.
// `metadata` holds error_type, code (the stable name), and, where known, param, item, provider_name,
// provider_code. `metadata_json`: openrouter_metadata, if asked for; empty if not.
std::string encode_error(const Error& error, std::string_view request_id,
                         std::string_view metadata_json = {});

// A short, safe reading of an upstream's error body: its message (cut, control characters removed) and code,
// if the body is JSON of a known shape ({"error":{message,code,type}}, {"error":"…"}, {"message":…},
// {"detail":…}).
struct UpstreamComplaint {
  std::string message, code, type;
};
UpstreamComplaint read_complaint(std::string_view body);
// What of a complaint may stand in a log: its code or type, if that is a name. Its message may quote the
// input.
std::string loggable(const UpstreamComplaint& said);

}  // namespace embedrouter::api
