// Draws of features without replacement.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/core/philox.h"

namespace gradatim::boost {

/// max(1, round(share * n)) of n ascending features, ascending. Without weights, those of the
/// smallest draws; with weights [all features], those of the smallest -log(u) / weight, so that the
/// first is a feature with a probability in proportion to its weight (Efraimidis and Spirakis,
/// 2006). A weight of zero is drawn only where no other is left.
std::vector<std::int32_t> draw_features(std::span<const std::int32_t> features, double share,
                                        std::span<const double> weight, const Philox& random);

}  // namespace gradatim::boost
