#include "gradatim/boost/ensemble/row_distribution.h"

#include <fmt/format.h>

#include <limits>

#include "gradatim/boost/statistics.h"
#include "gradatim/core/error.h"
#include "gradatim/core/philox.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::boost {
namespace {

void require_sound(double x) {
  GRADATIM_CHECK(
      x > 0.0 && std::isfinite(x), NumericError, 4002,
      "the weights of the rows grew beyond what a number holds; lower the learning rate");
}

}  // namespace

RowDistribution::RowDistribution(std::int64_t rows, std::span<const float> weight,
                                 const dist::Shard& shard)
    : shard_(shard), d_(rows, 1.0), largest_(blocks()) {
  if (!weight.empty()) std::copy(weight.begin(), weight.end(), d_.begin());
  normalise();
}

double RowDistribution::largest_of_all() const {
  double most = -std::numeric_limits<double>::infinity();
  for (const double x : largest_) most = std::max(most, x);
  return dist::maximum(*shard_.group, most);
}

double RowDistribution::total(std::span<const ExactSum> sums) const {
  ExactSum all;
  for (const ExactSum& sum : sums) all.add(sum);
  return dist::sum(*shard_.group, all).value();
}

void RowDistribution::settle() {
  most_ = largest_of_all();
  require_sound(most_);
}

void RowDistribution::exponentiate(std::span<const float> weight, double most) {
  each_block([&](std::int64_t begin, std::int64_t end) {
    const auto block = std::span(d_).subspan(begin, end - begin);
    for (double& d : block) d -= most;
    math::exp_all(block);
    if (weight.empty()) return;
    for (std::int64_t row = begin; row < end; ++row) d_[row] *= double{weight[row]};
  });
}

void RowDistribution::normalise() {
  std::vector<ExactSum> sums(blocks());
  each_block([&](std::int64_t begin, std::int64_t end) {
    ExactSum& sum = sums[begin / kBlock];
    for (std::int64_t row = begin; row < end; ++row) sum.add(d_[row]);
  });
  const double all = total(sums);
  require_sound(all);
  each_block([&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) d_[row] /= all;
    find_largest(begin, end);
  });
  settle();
}

double RowDistribution::fixed_point(std::vector<std::int32_t>& integers) const {
  const double scale = std::ldexp(1.0, 30 - ceil_log2(most_));
  integers.resize(d_.size());
  each_block([&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      integers[row] = static_cast<std::int32_t>(d_[row] * scale + 0.5);
    }
  });
  return 1.0 / scale;
}

void RowDistribution::weights(std::vector<float>& weight) const {
  weight.resize(d_.size());
  const auto count = static_cast<double>(shard_.rows(rows()));
  each_block([&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      weight[row] = static_cast<float>(d_[row] * count);
    }
  });
}

// Inverse transform on integers: the cumulative sums of D 2^52 are exact, so that the hit row
// does not depend on how they were added.
std::vector<std::int32_t> RowDistribution::draw(std::uint64_t seed, std::uint32_t number) const {
  std::vector<std::uint64_t> cumulative(d_.size());
  std::uint64_t own = 0;
  for (std::size_t i = 0; i < d_.size(); ++i) {
    own += static_cast<std::uint64_t>(std::nearbyint(d_[i] * 0x1p52));
    cumulative[i] = own;
  }
  const auto before =
      static_cast<std::uint64_t>(dist::sum_before(*shard_.group, static_cast<std::int64_t>(own)));
  const auto total =
      static_cast<std::uint64_t>(dist::sum(*shard_.group, static_cast<std::int64_t>(own)));
  __extension__ using Wide = unsigned __int128;
  const Philox random(seed, Stream::resample, number);
  std::vector<std::int32_t> hits(d_.size());
  for (std::int64_t i = 0; i < shard_.rows(rows()); ++i) {
    const auto wide = static_cast<Wide>(random.bits(i)) * total;
    const auto at = static_cast<std::uint64_t>(wide >> 64);
    if (at < before || at >= before + own) continue;  // another rank's row
    ++hits[std::upper_bound(cumulative.begin(), cumulative.end(), at - before) -
           cumulative.begin()];
  }
  return hits;
}

}  // namespace gradatim::boost
