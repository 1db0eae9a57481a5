#include "api/key_info.h"

#include "api/json_members.h"
#include "api/usd.h"

namespace embedrouter::api {

std::string encode_key_info(const KeyInfo& key) {
  const auto cost = [](std::string& out, std::string_view name, std::int64_t pico) {
    members::key(out, name);
    append_usd(out, pico);
  };
  std::string out = R"({"data":{)";
  members::text(out, "label", key.label);
  members::nulls(out, "limit", "limit_remaining", "limit_reset");
  members::flag(out, "include_byok_in_limit", false);
  cost(out, "usage", key.usage);
  cost(out, "usage_daily", key.usage_daily);
  cost(out, "usage_weekly", key.usage_weekly);
  cost(out, "usage_monthly", key.usage_monthly);
  for (const char* name : {"byok_usage", "byok_usage_daily", "byok_usage_weekly", "byok_usage_monthly"})
    members::number(out, name, 0);
  members::flag(out, "is_free_tier", false);
  members::flag(out, "is_management_key", key.management);
  members::flag(out, "is_provisioning_key", key.management);
  members::nulls(out, "creator_user_id", "expires_at");
  members::literal(out, "rate_limit", R"({"requests":-1,"interval":"10s","note":"deprecated"})");
  members::nulls(out, "organization_id", "workspace_id");
  members::literal(out, "allowed_data_regions", R"(["global"])");
  members::literal(out, "budgets", "[]");
  members::nulls(out, "effective_budget");
  // The clients want whole numbers; -1 is no limit, as in rate_limit.
  members::literal(out, "free_model_daily_requests", R"({"limit":-1,"used":0,"remaining":-1})");
  return out += "}}";
}

}  // namespace embedrouter::api
