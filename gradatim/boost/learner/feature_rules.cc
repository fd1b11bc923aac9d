#include "gradatim/boost/learner/feature_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::boost {
namespace {

std::size_t find(std::span<const FeatureBins> features, std::string_view setting,
                 const std::string& name) {
  std::vector<std::string> names;
  for (const auto& feature : features) names.push_back(feature.name);
  const auto at = std::ranges::find(names, name);
  GRADATIM_CHECK(at != names.end(), UsageError, 1028, "{}: the data has no feature '{}'{}", setting,
                 name, did_you_mean(name, names));
  return static_cast<std::size_t>(at - names.begin());
}

// One value a feature; `rest` for those that are not named.
template <class To, class From>
std::vector<To> spread(const api::ByFeature<From>& given, std::string_view setting,
                       std::span<const FeatureBins> features, To rest) {
  if (given.empty()) return {};
  std::vector<To> values(features.size(), rest);
  const bool by_position = given.items.front().first.empty();
  GRADATIM_CHECK(!by_position || given.items.size() == features.size(), UsageError, 1029,
                 "{} gives {} values in order and the data has {} features; give one for each, or "
                 "name those that you mean",
                 setting, given.items.size(), features.size());
  for (std::size_t i = 0; i < given.items.size(); ++i) {
    const auto& [name, value] = given.items[i];
    values[by_position ? i : find(features, setting, name)] = static_cast<To>(value);
  }
  return values;
}

}  // namespace

FeatureRules resolve(const NamedRules& rules, std::span<const FeatureBins> features) {
  FeatureRules found;
  found.direction =
      spread<std::int8_t>(rules.monotone_constraints, "monotone_constraints", features, 0);
  for (std::size_t f = 0; f < found.direction.size(); ++f) {
    GRADATIM_CHECK(found.direction[f] == 0 || !features[f].categorical(), UsageError, 1030,
                   "monotone_constraints: '{}' is categorical, and categories have no order; leave "
                   "it out, or give the column as a number",
                   features[f].name);
  }
  if (std::ranges::all_of(found.direction, [](auto d) { return d == 0; })) found.direction.clear();
  for (const auto& names : rules.interaction_constraints.groups) {
    auto& group = found.groups.emplace_back();
    for (const auto& name : names) {
      group.push_back(static_cast<std::int32_t>(find(features, "interaction_constraints", name)));
    }
    std::ranges::sort(group);
  }
  found.weight = spread<double>(rules.feature_weights, "feature_weights", features, 1.0);
  return found;
}

}  // namespace gradatim::boost
