#include "api/key_info.h"
#include "gateway/gateway.h"

namespace embedrouter::gateway {

// Under auth = "none" nobody has a key, and all that was spent is everybody's.
Result<net::Response> Gateway::get_key(const Query& query) const {
  const bool has_key = query.key != nullptr;
  const ledger::KeyUsage spent =
      shared_.usage->of(has_key ? query.key->hash : std::string(), shared_.clock->wall());
  api::KeyInfo info;
  info.label = has_key ? std::string_view(query.key->label) : "no key: auth is none";
  info.management = has_key && query.key->management;
  info.usage = spent.total;
  info.usage_daily = spent.today;
  info.usage_weekly = spent.this_week;
  info.usage_monthly = spent.this_month;
  return json_response(api::encode_key_info(info));
}

}  // namespace embedrouter::gateway
