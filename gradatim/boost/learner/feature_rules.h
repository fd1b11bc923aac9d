// What settings say of single features, from names to the data's columns.
#pragma once

#include <span>
#include <string_view>

#include "gradatim/api/value.h"
#include "gradatim/boost/bins/feature_bins.h"
#include "gradatim/boost/tree/growth.h"

namespace gradatim::boost {

/// As settings have them.
struct NamedRules {
  api::ByFeature<std::int32_t> monotone_constraints;
  api::FeatureGroups interaction_constraints;
  api::ByFeature<double> feature_weights;
};

/// UsageError: GRD-1028 no feature of that name, GRD-1029 not one value a feature, GRD-1030 a
/// category cannot rise or fall.
FeatureRules resolve(const NamedRules& rules, std::span<const FeatureBins> features);

}  // namespace gradatim::boost
