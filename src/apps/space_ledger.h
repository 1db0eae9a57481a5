#pragma once
#include <optional>

#include "base/clock.h"
#include "base/log.h"
#include "catalog/config.h"
#include "ledger/fingerprints.h"
#include "routing/prober.h"

namespace embedrouter::apps {

// Keeps the prober's records in the ledger's database. Where that cannot be used, the log says so and the
// router goes on as if there were none. Of the prober's thread.
class SpaceLedger final : public routing::SpaceHistory {
 public:
  // Both must outlive it.
  SpaceLedger(const catalog::Config& config, const Clock& clock, Log& log);

  std::vector<routing::SpaceRecord> read() override;
  void keep(const routing::SpaceRecord& record) override;
  void forget(std::string_view space, std::string_view endpoint) override;
  std::vector<std::string> released() override;

 private:
  void report(const Error& error);

  Log& log_;
  std::optional<ledger::Fingerprints> store_;
  std::optional<std::int64_t> version_;
  bool failing_ = false;
};

}  // namespace embedrouter::apps
