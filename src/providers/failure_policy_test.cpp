// docs/failure_policy.md against the code, row by row: the table of base/error.cpp and what explain.cpp makes
// of statuses and words.
#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "providers/dialect.h"

namespace embedrouter::providers {
namespace {

struct Row {
  std::string provider;             // what it does, as the page says it
  std::vector<std::string> quoted;  // of that, what stands in backticks
  std::string code, status, error_type;
  std::string retry, fall_back, health, key;
};

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line.substr(1));
  for (std::string cell; std::getline(in, cell, '|');) cells.push_back(trimmed(std::move(cell)));
  return cells;
}

std::vector<std::string> quoted(const std::string& text) {
  std::vector<std::string> found;
  for (std::size_t at = text.find('`'); at != std::string::npos;) {
    const std::size_t end = text.find('`', at + 1);
    found.push_back(text.substr(at + 1, end - at - 1));
    at = text.find('`', end + 1);
  }
  return found;
}

std::vector<Row> rows_of_the_page() {
  std::ifstream page(std::string(EMBEDROUTER_SOURCE_DIR) + "/docs/failure_policy.md");
  std::vector<Row> rows;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| ") || line.find("| `") == std::string::npos) continue;
    const std::vector<std::string> cells = cells_of(line);
    if (cells.size() != 8 || !cells[1].starts_with('`')) continue;
    rows.push_back({cells[0], quoted(cells[0]), quoted(cells[1]).at(0), cells[2], quoted(cells[3]).at(0),
                    cells[4], cells[5], cells[6], cells[7]});
  }
  return rows;
}

const ErrorTraits* traits_of(std::string_view name) {
  for (std::size_t i = 0; i < kErrorCodeCount; ++i) {
    const ErrorTraits& row = traits(static_cast<ErrorCode>(i));
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::string word_of(bool yes) {
  return yes ? "yes" : "no";
}

std::string word_of(Parking parking) {
  switch (parking) {
    case Parking::none:
      return "no";
    case Parking::pause:
      return "pauses";
    case Parking::endpoint:
      return "at the endpoint";
    case Parking::everywhere:
      return "everywhere";
  }
  return {};
}

std::string health_of(const ErrorTraits& row) {
  return row.code == ErrorCode::upstream_rate_limited ? "cools" : word_of(row.against_health);
}

bool is_status(const std::string& text) {
  return text.size() == 3 && text.find_first_not_of("0123456789") == std::string::npos;
}

UpstreamReply reply_of(int status, const std::string& body) {
  UpstreamReply reply;
  reply.status = status;
  reply.body = std::make_shared<const Buffer>(body);
  return reply;
}

std::string explained(int status, const std::string& body = "no JSON") {
  return std::string(traits(explain_status(reply_of(status, body)).code()).name);
}

TEST(FailurePolicy, each_row_of_the_page_is_the_row_of_the_table) {
  const std::vector<Row> rows = rows_of_the_page();
  ASSERT_GE(rows.size(), 20U);
  for (const Row& row : rows) {
    const ErrorTraits* policy = traits_of(row.code);
    ASSERT_NE(policy, nullptr) << row.code;
    EXPECT_EQ(row.status, std::to_string(policy->http_status)) << row.code;
    EXPECT_EQ(row.error_type, policy->error_type) << row.code;
    EXPECT_EQ(row.retry, word_of(policy->retry)) << row.code;
    EXPECT_EQ(row.fall_back, word_of(policy->fall_back)) << row.code;
    EXPECT_EQ(row.health, health_of(*policy)) << row.code;
    EXPECT_EQ(row.key, word_of(policy->parking)) << row.code;
  }
}

TEST(FailurePolicy, the_page_has_every_code_that_routing_treats_in_some_way) {
  std::set<std::string> on_page;
  for (const Row& row : rows_of_the_page()) on_page.insert(row.code);
  for (std::size_t i = 0; i < kErrorCodeCount; ++i) {
    const ErrorTraits& row = traits(static_cast<ErrorCode>(i));
    const bool treated = row.retry || row.fall_back || row.against_health || row.parking != Parking::none;
    if (treated || row.name.starts_with("upstream_"))
      EXPECT_TRUE(on_page.contains(std::string(row.name))) << row.name;
  }
}

// "`429` `insufficient_quota`": that status with that word as its code, or as its message.
TEST(FailurePolicy, each_status_and_word_of_the_page_comes_to_its_code) {
  std::set<int> listed;
  for (const Row& row : rows_of_the_page()) {
    std::vector<int> statuses;
    std::vector<std::string> words;
    for (const std::string& text : row.quoted) {
      if (is_status(text)) {
        statuses.push_back(std::stoi(text));
      } else {
        words.push_back(text);
      }
    }
    for (const int status : statuses) {
      if (words.empty()) {
        listed.insert(status);
        EXPECT_EQ(explained(status), row.code) << status;
      }
      for (const std::string& word : words) {
        EXPECT_EQ(explained(status, R"({"error":{"message":"m","code":")" + word + R"("}})"), row.code)
            << status << ' ' << word;
      }
    }
  }
  for (int status = 400; status < 600; ++status) {
    if (listed.contains(status)) continue;
    EXPECT_EQ(explained(status), status < 500 ? "upstream_invalid_answer" : "upstream_error") << status;
  }
}

TEST(FailurePolicy, what_a_caller_could_have_written_parks_no_key) {
  for (const int status : {400, 413, 422, 500}) {
    for (const std::string_view text : {"insufficient_quota", "insufficient credits", "credit balance"}) {
      const Error error = explain_status(
          reply_of(status, R"({"error":{"message":"not understood: ')" + std::string(text) + R"('"}})"));
      EXPECT_EQ(traits(error.code()).parking, Parking::none) << status << ' ' << text;
    }
  }
}

TEST(FailurePolicy, what_will_not_heal_is_a_4xx) {
  for (std::size_t i = 0; i < kErrorCodeCount; ++i) {
    const ErrorTraits& row = traits(static_cast<ErrorCode>(i));
    if (row.parking == Parking::endpoint || row.parking == Parking::everywhere)
      EXPECT_LT(row.http_status, 500) << row.name;
  }
}

TEST(FailurePolicy, a_key_that_is_refused_is_the_operators_matter_and_the_caller_is_told_so) {
  for (const int status : {401, 402, 403}) {
    const Error error =
        explain_status(reply_of(status, R"({"error":{"message":"Incorrect API key provided: sk-secret"}})"));
    EXPECT_NE(error.message().find("the operator of the router must mend that"), std::string::npos);
    EXPECT_EQ(error.message().find("sk-secret"), std::string::npos);
    EXPECT_EQ(error.detail().find("sk-secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace embedrouter::providers
