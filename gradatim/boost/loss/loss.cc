#include "gradatim/boost/loss/loss.h"

#include <algorithm>
#include <cmath>

#include "gradatim/boost/loss/elementwise.h"
#include "gradatim/core/error.h"

namespace gradatim::boost {

double Loss::scale(std::span<const float> /*label*/) const { return 1.0; }

void Loss::transform(std::span<const double> scores, int /*outputs*/, std::span<double> out) const {
  std::copy(scores.begin(), scores.end(), out.begin());
}

void internal::check_numeric_target(const Task& task) {
  if (!task.classification()) return;
  throw DataError(2020,
                  "this loss needs a numeric target, and the target is classes; use "
                  "boost.loss.logistic or boost.loss.softmax, or make the target numeric");
}

double internal::largest_label(std::span<const float> label) {
  float most = 0.0F;
  for (const float y : label) most = std::max(most, std::abs(y));
  return most > 0.0F ? double{most} : 1.0;
}

}  // namespace gradatim::boost
