// At equal x, alpha dD + sigma dE = 0, so an error dF = data dD + noise dE of the output is
// det / alpha dE and -det / sigma dD with det = alpha noise - sigma data.
#include "gradatim/process/loss_weight.h"

#include <fmt/format.h>

#include <cmath>

#include "gradatim/core/error.h"

namespace gradatim::process {
namespace {

double convert(double weight, double slope, const PathPoint& p) {
  GRADATIM_CHECK(std::isfinite(slope), NumericError, 4020,
                 "the loss at t = {} (alpha = {}, sigma = {}) has no weight for this prediction, "
                 "which says nothing there",
                 p.t, p.alpha, p.sigma);
  return weight * slope * slope;
}

double determinant(const PathPoint& p, const Target& target) {
  return p.alpha * target.noise - p.sigma * target.data;
}

}  // namespace

double snr(const PathPoint& p) { return p.alpha * p.alpha / (p.sigma * p.sigma); }

double from_data_weight(double weight, const PathPoint& p, const Prediction& prediction) {
  const Target target = prediction.target(p);
  const double slope = target.noise == 0.0 ? 1.0 / target.data : -p.sigma / determinant(p, target);
  return convert(weight, slope, p);
}

double from_noise_weight(double weight, const PathPoint& p, const Prediction& prediction) {
  const Target target = prediction.target(p);
  const double slope = target.data == 0.0 ? 1.0 / target.noise : p.alpha / determinant(p, target);
  return convert(weight, slope, p);
}

}  // namespace gradatim::process
