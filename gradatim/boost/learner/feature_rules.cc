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

// How many features are the data's own: those that are made from others come last.
std::size_t given_features(std::span<const FeatureBins> features) {
  return static_cast<std::size_t>(
      std::ranges::count_if(features, [](const auto& f) { return f.sources.empty(); }));
}

// One value a feature; `rest` for those that are not named.
template <class To, class From>
std::vector<To> spread(const api::ByFeature<From>& given, std::string_view setting,
                       std::span<const FeatureBins> features, To rest) {
  if (given.empty()) return {};
  std::vector<To> values(features.size(), rest);
  const bool by_position = given.items.front().first.empty();
  const std::size_t own = given_features(features);
  GRADATIM_CHECK(!by_position || given.items.size() == own, UsageError, 1029,
                 "{} gives {} values in order and the data has {} features; give one for each, or "
                 "name those that you mean",
                 setting, given.items.size(), own);
  for (std::size_t i = 0; i < given.items.size(); ++i) {
    const auto& [name, value] = given.items[i];
    values[by_position ? i : find(features.first(own), setting, name)] = static_cast<To>(value);
  }
  return values;
}

// A feature that is made from others may be where all of them may.
void add_made(std::span<const FeatureBins> features, std::vector<std::int32_t>& group) {
  const std::vector<std::int32_t> own = group;
  for (std::size_t f = given_features(features); f < features.size(); ++f) {
    const bool all = std::ranges::all_of(features[f].sources, [&](std::int32_t source) {
      return std::ranges::binary_search(own, source);
    });
    if (all) group.push_back(static_cast<std::int32_t>(f));
  }
}

// ... and is drawn as often as the one of them that is drawn the least.
void weigh_made(std::span<const FeatureBins> features, std::vector<double>& weight) {
  for (std::size_t f = given_features(features); f < weight.size(); ++f) {
    for (const std::int32_t source : features[f].sources) {
      weight[f] = std::min(weight[f], weight[source]);
    }
  }
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
      group.push_back(static_cast<std::int32_t>(
          find(features.first(given_features(features)), "interaction_constraints", name)));
    }
    std::ranges::sort(group);
    add_made(features, group);
  }
  found.weight = spread<double>(rules.feature_weights, "feature_weights", features, 1.0);
  weigh_made(features, found.weight);
  return found;
}

}  // namespace gradatim::boost
