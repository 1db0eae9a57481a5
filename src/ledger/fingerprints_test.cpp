#include "ledger/fingerprints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/folder_testing.h"
#include "ledger/keys.h"

namespace embedrouter::ledger {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

FingerprintRecord record(std::string endpoint, std::string verdict = "agreeing") {
  FingerprintRecord made;
  made.space = "space";
  made.endpoint = std::move(endpoint);
  made.upstream_model = "upstream";
  made.canaries = "texts";
  made.dimensions = 2;
  made.verdict = std::move(verdict);
  made.fingerprint = {0.5F, -0.25F, 1e-30F, 0.0F};
  made.noise = 1e-5;
  made.cosine = 0.99991;
  made.canary = 1;
  return made;
}

class FingerprintsTest : public ::testing::Test {
 protected:
  Fingerprints open() {
    auto store = Fingerprints::open(folder_ / "e.db", clock_);
    EXPECT_TRUE(store) << store.error().message();
    return *std::move(store);
  }
  void run_sql(const char* sql) {
    auto database = Database::open(folder_ / "e.db", std::chrono::seconds(1));
    ASSERT_TRUE(database && database->run(sql));
  }
  Folder folder_;
  ManualClock clock_;
};

TEST_F(FingerprintsTest, what_was_put_is_there_after_a_restart_bit_for_bit) {
  ASSERT_TRUE(open().put(record("m@a")));
  const auto found = open().list();
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  const FingerprintRecord& row = found->front();
  EXPECT_EQ(row.space, "space");
  EXPECT_EQ(row.endpoint, "m@a");
  EXPECT_EQ(row.verdict, "agreeing");
  EXPECT_EQ(row.fingerprint, record("").fingerprint);
  EXPECT_EQ(row.noise, 1e-5);
  EXPECT_EQ(row.cosine, 0.99991);
  EXPECT_EQ(row.canary, 1U);
  EXPECT_EQ(row.changed_at, 1'700'000'000);
  EXPECT_FALSE(row.released);
}

TEST_F(FingerprintsTest, a_record_takes_the_place_of_the_one_before) {
  Fingerprints store = open();
  ASSERT_TRUE(store.put(record("m@a")));
  ASSERT_TRUE(store.put(record("m@a", "quarantined")));
  ASSERT_EQ(store.list()->size(), 1U);
  EXPECT_EQ(store.list()->front().verdict, "quarantined");
  ASSERT_TRUE(store.remove("space", "m@a"));
  EXPECT_THAT(*store.list(), IsEmpty());
}

TEST_F(FingerprintsTest, a_release_is_seen_by_another_connection_once) {
  Fingerprints router = open();
  Fingerprints operators = open();
  ASSERT_TRUE(router.put(record("m@a", "quarantined")));
  ASSERT_TRUE(router.put(record("m@b")));
  const auto before = router.version().value();
  EXPECT_EQ(operators.release("m@c").error().code(), ErrorCode::not_found);
  ASSERT_TRUE(operators.release("m@a"));
  EXPECT_NE(router.version().value(), before);
  EXPECT_TRUE(router.list()->front().released);
  EXPECT_THAT(*router.take_released(), ElementsAre("m@a"));
  EXPECT_THAT(*router.take_released(), IsEmpty());
  EXPECT_EQ(router.list()->size(), 1U) << "what it was is forgotten";
}

TEST_F(FingerprintsTest, a_damaged_row_comes_without_its_vectors) {
  ASSERT_TRUE(open().put(record("m@a")));
  run_sql("UPDATE fingerprints SET fingerprint = x'0011223344'");
  const auto found = open().list();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->front().dimensions, 0U);
  EXPECT_THAT(found->front().fingerprint, IsEmpty());
}

TEST_F(FingerprintsTest, a_database_of_the_release_before_gets_the_table) {
  ASSERT_TRUE(KeyStore::open(folder_ / "e.db"));
  run_sql("DROP TABLE fingerprints; PRAGMA user_version = 1");
  EXPECT_TRUE(open().put(record("m@a")));
  EXPECT_TRUE((*KeyStore::open(folder_ / "e.db"))->create("still there", false));
}

}  // namespace
}  // namespace embedrouter::ledger
