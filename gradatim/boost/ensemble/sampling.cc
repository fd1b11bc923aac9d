#include "gradatim/boost/ensemble/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradatim/core/philox.h"

namespace gradatim::boost {

std::vector<std::uint32_t> sample_rows(std::int64_t rows, double share, std::uint64_t seed,
                                       std::uint32_t round) {
  std::vector<std::uint32_t> chosen;
  if (share >= 1.0) {
    chosen.resize(rows);
    std::iota(chosen.begin(), chosen.end(), 0U);
    return chosen;
  }
  const Philox random(seed, Stream::rows, round);
  for (std::int64_t row = 0; row < rows; ++row) {
    if (random.uniform(row) < share) chosen.push_back(static_cast<std::uint32_t>(row));
  }
  if (chosen.empty()) chosen.push_back(random.below(static_cast<std::uint32_t>(rows), rows));
  return chosen;
}

std::vector<std::int32_t> sample_features(std::int32_t features, double share, std::uint64_t seed,
                                          std::uint32_t draw) {
  std::vector<std::int32_t> chosen(features);
  std::iota(chosen.begin(), chosen.end(), 0);
  if (share >= 1.0) return chosen;
  const auto count = std::max(1, static_cast<std::int32_t>(std::lround(share * features)));
  const Philox random(seed, Stream::columns, draw);
  std::sort(chosen.begin(), chosen.end(), [&](std::int32_t a, std::int32_t b) {
    const std::uint64_t x = random.bits(a);
    const std::uint64_t y = random.bits(b);
    return x != y ? x < y : a < b;
  });
  chosen.resize(count);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace gradatim::boost
