#include "fake_upstream/behaviour.h"

#include <fmt/format.h>

#include <algorithm>

#include "fake_upstream/body.h"

namespace embedrouter::fake_upstream {

std::string Behaviour::change(const std::string& body) {
  std::string why;
  const auto json = Body::parse(body, why);
  if (!json) return why;
  const std::string model = json->text("for");
  const std::string be = json->text("be");
  const auto members = json->members();
  if (model.empty() || std::ranges::find(members, "be") == members.end())
    return R"(expected {"for":"<model>","be":"<name>"}; "for":"*" is all models, "be":null ends it)";
  if (!be.empty() && !choose(be)) return "no fault of the name " + be + "; see --list";
  const std::lock_guard lock(mutex_);
  if (be.empty()) {
    instead_.erase(model);
  } else {
    instead_[model] = be;
  }
  return {};
}

void Behaviour::forget() {
  const std::lock_guard lock(mutex_);
  instead_.clear();
}

std::string Behaviour::as_json() const {
  const std::lock_guard lock(mutex_);
  std::string out = R"({"behaviour":{)";
  for (const auto& [model, be] : instead_)
    out += fmt::format("{}{}:{}", out.ends_with('{') ? "" : ",", json_string(model), json_string(be));
  return out += "}}";
}

std::optional<Choice> Behaviour::choose_for(std::string_view model) const {
  std::optional<Choice> own = choose(model);
  std::string be;
  {
    const std::lock_guard lock(mutex_);
    auto found = instead_.find(model);
    if (found == instead_.end()) found = instead_.find("*");
    if (found == instead_.end()) return own;
    be = found->second;
  }
  std::optional<Choice> instead = choose(be);
  if (!instead) return own;
  if (!own) return instead;  // a model of any name, while it is told what to be
  if (!instead->width) instead->width = own->width;
  if (!instead->space) {
    instead->space = own->space;
  } else if (instead->space->name.empty() && own->space) {
    instead->space->name = own->space->name;
  }
  return instead;
}

}  // namespace embedrouter::fake_upstream
