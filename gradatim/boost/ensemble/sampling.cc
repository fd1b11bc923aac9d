#include "gradatim/boost/ensemble/sampling.h"

#include <numeric>

#include "gradatim/boost/feature_draw.h"
#include "gradatim/core/philox.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::boost {

std::vector<std::uint32_t> sample_rows(std::int64_t rows, double share, std::uint64_t seed,
                                       std::uint32_t round, const dist::Shard& shard) {
  std::vector<std::uint32_t> chosen;
  if (share >= 1.0) {
    chosen.resize(rows);
    std::iota(chosen.begin(), chosen.end(), 0U);
    return chosen;
  }
  const Philox random(seed, Stream::rows, round);
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t place = shard.first_row + row;
    if (random.uniform(place) < share) chosen.push_back(static_cast<std::uint32_t>(row));
  }
  if (dist::sum(*shard.group, std::ssize(chosen)) == 0) {
    const std::int64_t all = shard.rows(rows);
    const std::int64_t drawn =
        all < (std::int64_t{1} << 32)
            ? random.below(static_cast<std::uint32_t>(all), all)
            : static_cast<std::int64_t>(random.uniform(all) * static_cast<double>(all));
    const std::int64_t row = drawn - shard.first_row;
    if (row >= 0 && row < rows) chosen.push_back(static_cast<std::uint32_t>(row));
  }
  return chosen;
}

std::vector<std::int32_t> sample_features(std::int32_t features, double share, std::uint64_t seed,
                                          std::uint32_t draw, std::span<const double> weight) {
  std::vector<std::int32_t> all(features);
  std::iota(all.begin(), all.end(), 0);
  return draw_features(all, share, weight, Philox(seed, Stream::columns, draw));
}

}  // namespace gradatim::boost
