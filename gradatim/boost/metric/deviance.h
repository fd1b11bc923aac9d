// What deviances of amounts share: labels of at least 0, predicted means above 0.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include "gradatim/boost/metric/metric.h"
#include "gradatim/core/error.h"

namespace gradatim::boost {

/// (label, prediction) of a row. NumericError GRD-4010 where they are no amount and no mean.
inline std::pair<double, double> amounts(const MetricInput& input, std::int64_t row,
                                         std::string_view metric) {
  const double y = input.label[row];
  const double f = input.prediction[row];
  GRADATIM_CHECK(y >= 0.0 && f > 0.0, NumericError, 4010,
                 "{} needs labels of at least 0 and predictions above 0, and row {} has {} and {}",
                 metric, row + 1, y, f);
  return {y, f};
}

}  // namespace gradatim::boost
