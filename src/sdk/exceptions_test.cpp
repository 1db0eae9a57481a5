// The throwing form; the only test of the SDK that is compiled with exceptions.
#include <embedrouter/client.h>
#include <embedrouter/exceptions.h>
#include <embedrouter/testing/mock_connection.h>
#include <gtest/gtest.h>

namespace embedrouter::sdk {
namespace {

TEST(Exceptions, value_throws_the_class_of_the_status) {
  auto mock = std::make_shared<testing::MockConnection>();
  mock->answer(401, R"({"error":{"code":401,"message":"who?"}})");
  mock->answer(418, "tea");
  mock->answer(200, "{}");
  mock->answer(fail(ErrorKind::timed_out, "late"));
  const Client client(mock);
  const auto ask = [&] { return client.embeddings().generate({.input = "hi", .model = "m"}).value(); };
  try {
    static_cast<void>(ask());
    FAIL();
  } catch (const UnauthorizedResponseError& error) {
    EXPECT_STREQ(error.what(), "who?");
    EXPECT_EQ(error.status_code(), 401);
  }
  EXPECT_THROW(ask(), OpenRouterDefaultError);
  EXPECT_THROW(ask(), ResponseValidationError);
  EXPECT_THROW(ask(), TransportError);
  EXPECT_THROW(ask(), UsageError);
}

TEST(Exceptions, each_kind_throws_the_class_it_names) {
  const auto answer = std::make_shared<const Error::Answer>();
  for (int i = 0; i <= static_cast<int>(ErrorKind::usage); ++i) {
    const Error error(static_cast<ErrorKind>(i), "m", answer);
    try {
      throw_error(error);
    } catch (const CallFailure& failure) {
      // The mangled name holds the plain one.
      EXPECT_NE(std::string(typeid(failure).name()).find(class_name(error.kind())), std::string::npos) << i;
      EXPECT_EQ(dynamic_cast<const OpenRouterError*>(&failure) != nullptr,
                error.kind() <= ErrorKind::response_validation);
    }
  }
}

}  // namespace
}  // namespace embedrouter::sdk
