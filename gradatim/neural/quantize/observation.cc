#include "gradatim/neural/quantize/observation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"

namespace gradatim::neural {
namespace {

constexpr const char* kName = "observation.spread";
// Of bytes: below this a cell has all but nothing of the chance already.
constexpr double kLeastSpread = 0.05;

double logistic(double x) { return 1.0 / (1.0 + std::exp(-x)); }

// ln of the chance between two points a < b of the standard logistic.
double log_between(double a, double b) {
  if (a > 0.0) return log_between(-b, -a);  // where the difference of chances keeps its digits
  const double chance = logistic(b) - logistic(a);
  // Far out the density falls like e^x, and the difference is e^b - e^a.
  return chance > 1e-280 ? std::log(chance) : b + std::log1p(-std::exp(a - b));
}

double log_density(double x) { return -std::abs(x) - 2.0 * std::log1p(std::exp(-std::abs(x))); }

}  // namespace

void Observation::add(std::span<const double> data, std::span<const float> decoded) {
  for (std::size_t k = 0; k < data.size(); ++k) {
    spread_[k % spread_.size()] += std::abs(data[k] - double{decoded[k]});
  }
  rows_ += static_cast<std::int64_t>(data.size() / spread_.size());
}

// The mean of |x| of a logistic is 2 ln 2 times its scale.
void Observation::finish() {
  double largest = 0.0;
  for (double& each : spread_) {
    each /= static_cast<double>(rows_) * 2.0 * std::log(2.0);
    largest = std::max(largest, each);
  }
  const double least = bytes_ ? kLeastSpread : std::max(1e-6 * largest, 1e-12);
  for (double& each : spread_) each = std::max(each, least);
}

double Observation::log_prob(std::span<const double> data, std::span<const float> decoded) const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double sum = 0.0;
  for (std::size_t k = 0; k < spread_.size(); ++k) {
    const double scale = spread_[k], x = data[k];
    if (!bytes_) {
      sum += log_density((x - double{decoded[k]}) / scale) - std::log(scale);
      continue;
    }
    const double mean = std::clamp(double{decoded[k]}, 0.0, 255.0);
    const double low = x <= 0.0 ? -kInfinity : (x - 0.5 - mean) / scale;
    const double high = x >= 255.0 ? kInfinity : (x + 0.5 - mean) / scale;
    sum += log_between(low, high);
  }
  return sum;
}

void Observation::store(SafetensorsWriter& file) const {
  file.add(kName, std::span<const double>(spread_));
}

Observation Observation::load(const SafetensorsFile& file, std::int64_t dims, bool bytes) {
  Observation made;  // no memory before the file is seen to have the numbers
  made.bytes_ = bytes;
  made.spread_ = file.read<double>(kName, dims);
  for (const double each : made.spread_) {
    GRADATIM_CHECK(std::isfinite(each) && each > 0.0, ModelError, 3075,
                   "{}: '{}' holds a spread that is not positive", file.source(), kName);
  }
  return made;
}

}  // namespace gradatim::neural
