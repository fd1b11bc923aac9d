#include "gradatim/process/prediction.h"

#include <fmt/format.h>

#include <cmath>

#include "gradatim/core/error.h"

namespace gradatim::process {

FromField Prediction::data(const PathPoint& p) const {
  const Target r = target(p);
  if (r.noise == 0.0 && r.data != 0.0) return {.x = 0.0, .f = 1.0 / r.data};
  if (p.sigma == 0.0) return {.x = 1.0 / p.alpha, .f = 0.0};  // targets may be infinite there
  const double det = p.alpha * r.noise - p.sigma * r.data;
  GRADATIM_CHECK(
      std::isfinite(1.0 / det), NumericError, 4020,
      "the field's output says nothing about the data at t = {} (alpha = {}, sigma = {}); "
      "predict data, v or velocity, or begin the grid at a smaller t",
      p.t, p.alpha, p.sigma);
  return {.x = r.noise / det, .f = -p.sigma / det};
}

FromField Prediction::as(const Prediction& other, const PathPoint& p) const {
  const Target own = target(p);
  const Target wanted = other.target(p);
  const double det = p.alpha * own.noise - p.sigma * own.data;
  const FromField made{.x = (wanted.data * own.noise - wanted.noise * own.data) / det,
                       .f = (wanted.noise * p.alpha - wanted.data * p.sigma) / det};
  GRADATIM_CHECK(std::isfinite(made.x) && std::isfinite(made.f), NumericError, 4020,
                 "the field's output cannot be converted at t = {} (alpha = {}, sigma = {})", p.t,
                 p.alpha, p.sigma);
  return made;
}

}  // namespace gradatim::process
