#include "gradatim/boost/ensemble/row_distribution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/boost/statistics.h"
#include "gradatim/core/error.h"
#include "gradatim/core/philox.h"

namespace gradatim::boost {

RowDistribution::RowDistribution(std::int64_t rows, std::span<const float> weight) : d_(rows, 1.0) {
  if (!weight.empty()) std::copy(weight.begin(), weight.end(), d_.begin());
  normalise();
}

void RowDistribution::normalise() {
  ExactSum sum;
  for (const double d : d_) sum.add(d);
  const double total = sum.value();
  GRADATIM_CHECK(
      total > 0.0 && std::isfinite(total), NumericError, 4002,
      "the weights of the rows grew beyond what a number holds; lower the learning rate");
  for (double& d : d_) d /= total;
}

std::vector<std::int32_t> RowDistribution::fixed_point(double& unit) const {
  const double most = *std::max_element(d_.begin(), d_.end());
  const double scale = std::ldexp(1.0, 30 - ceil_log2(most));
  unit = 1.0 / scale;
  std::vector<std::int32_t> integers(d_.size());
  for (std::size_t i = 0; i < d_.size(); ++i) {
    integers[i] = static_cast<std::int32_t>(std::nearbyint(d_[i] * scale));
  }
  return integers;
}

std::vector<float> RowDistribution::weights() const {
  std::vector<float> weight(d_.size());
  for (std::size_t i = 0; i < d_.size(); ++i) {
    weight[i] = static_cast<float>(d_[i] * static_cast<double>(d_.size()));
  }
  return weight;
}

// Inverse transform on integers: the cumulative sums of D 2^52 are exact, so that the hit row
// does not depend on how they were added.
std::vector<std::int32_t> RowDistribution::draw(std::uint64_t seed, std::uint32_t number) const {
  std::vector<std::uint64_t> cumulative(d_.size());
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < d_.size(); ++i) {
    total += static_cast<std::uint64_t>(std::nearbyint(d_[i] * 0x1p52));
    cumulative[i] = total;
  }
  __extension__ using Wide = unsigned __int128;
  const Philox random(seed, Stream::resample, number);
  std::vector<std::int32_t> hits(d_.size());
  for (std::int64_t i = 0; i < rows(); ++i) {
    const auto wide = static_cast<Wide>(random.bits(i)) * total;
    const auto at = static_cast<std::uint64_t>(wide >> 64);
    const auto hit = std::upper_bound(cumulative.begin(), cumulative.end(), at);
    ++hits[std::min<std::ptrdiff_t>(hit - cumulative.begin(), rows() - 1)];
  }
  return hits;
}

}  // namespace gradatim::boost
