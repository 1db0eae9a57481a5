#pragma once
#include <embedrouter/error.h>

#include <string>
#include <string_view>

namespace embedrouter::api {

// What routing adds to an error, as JSON; empty: nothing.
struct ErrorStory {
  std::string availability;         // error.availability (CONTRACT 3.4)
  std::string previous_errors;      // error.metadata.previous_errors
  std::string openrouter_metadata;  // if asked for (CONTRACT 8)
};

// The error envelope of CONTRACT 3.1: {"error":{"code":…,"message":…,"metadata":{…}},"user_id":null, …}.
// `metadata` holds error_type, code (the stable name), and, where known, param, item, provider_name,
// provider_code. On a 500 the message is generic, and neither the provider nor the story is told.
std::string encode_error(const Error& error, std::string_view request_id, const ErrorStory& story = {});

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
