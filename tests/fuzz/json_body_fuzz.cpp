// The body of POST /embeddings: any bytes are a 400 that can be written as an envelope, or a request that
// says what simdjson's tree of the same bytes says.
#include <simdjson.h>

#include <cstdlib>
#include <string>

#include "api/embed_request.h"
#include "api/error_body.h"

namespace {

using namespace embedrouter;

constexpr std::size_t kInputs = 64;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_fault(const Error& error) {
  require(error.http_status() == 400 && !error.message().empty());
  const std::string envelope = api::encode_error(error, "gen-emb-fuzz");
  simdjson::dom::parser parser;
  std::string_view message;
  std::int64_t status = 0;
  simdjson::dom::element tree;
  require(parser.parse(envelope).get(tree) == simdjson::SUCCESS);
  require(tree["error"]["message"].get_string().get(message) == simdjson::SUCCESS &&
          message == error.message());
  require(tree["error"]["code"].get_int64().get(status) == simdjson::SUCCESS && status == 400);
}

// `said`: an element of `input` that is not a token id.
void check_item(const api::Item& item, simdjson::dom::element said) {
  simdjson::dom::array list;
  simdjson::dom::object object;
  if (said.get_array().get(list) == simdjson::SUCCESS) {
    require(list.size() == item.tokens.size());
    std::size_t at = 0;
    for (const simdjson::dom::element id : list) {
      double number = -1;
      require(id.get_double().get(number) == simdjson::SUCCESS && number == item.tokens[at++]);
    }
    return;
  }
  if (said.get_object().get(object) == simdjson::SUCCESS)
    said = object["content"].at(0)["text"].value_unsafe();
  std::string_view text;
  require(said.get_string().get(text) == simdjson::SUCCESS && text == item.text);
}

void check_request(const api::EmbedRequest& request, simdjson::dom::element tree) {
  std::string_view model;
  require(tree["model"].get_string().get(model) == simdjson::SUCCESS && model == request.model);
  simdjson::dom::element input;
  require(tree["input"].get(input) == simdjson::SUCCESS);
  simdjson::dom::array list;
  const bool one = input.get_array().get(list) != simdjson::SUCCESS || list.at(0).is_number();
  if (one) {
    require(request.items.size() == 1);
    check_item(request.items[0], input);
    return;
  }
  require(list.size() == request.items.size());
  std::size_t at = 0;
  for (const simdjson::dom::element said : list) check_item(request.items[at++], said);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto decoded = api::decode_embed_request(Buffer(bytes), api::DecodeLimits{.inputs = kInputs});
  if (!decoded) {
    check_fault(decoded.error());
    return 0;
  }
  const api::EmbedRequest& request = decoded->request();
  require(!request.items.empty() && request.items.size() <= kInputs && !request.model.empty());
  require(!request.dimensions || *request.dimensions >= 1);
  const bool tokens = request.items.front().is_tokens();
  for (const api::Item& item : request.items) {
    require(item.is_tokens() == tokens && item.text.empty() != item.tokens.empty());
    require(simdjson::validate_utf8(item.text.data(), item.text.size()));
  }
  for (const std::string_view name : decoded->ignored())
    require(!name.empty() && name.find_first_of("\r\n,") == std::string_view::npos);

  simdjson::dom::parser judge;
  const auto tree = judge.parse(bytes.data(), bytes.size());
  // To the judge a number too large for a double is an error; here an ignored one is only grammar.
  if (tree.error() == simdjson::NUMBER_ERROR) return 0;
  require(tree.error() == simdjson::SUCCESS);
  check_request(request, tree.value_unsafe());
  return 0;
}
