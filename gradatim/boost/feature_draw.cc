#include "gradatim/boost/feature_draw.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "gradatim/core/math.h"

namespace gradatim::boost {

std::vector<std::int32_t> draw_features(std::span<const std::int32_t> features, double share,
                                        std::span<const double> weight, const Philox& random) {
  std::vector<std::int32_t> chosen(features.begin(), features.end());
  if (share >= 1.0) return chosen;
  const auto count =
      std::max<std::int64_t>(1, std::llround(share * static_cast<double>(features.size())));
  std::vector<std::pair<double, std::uint64_t>> keys;  // by feature
  keys.resize(features.empty() ? 0 : features.back() + 1);
  for (const std::int32_t f : features) {
    const double u = 1.0 - random.uniform(f);  // in (0, 1]
    const double w = weight.empty() ? 1.0 : weight[f];
    const double key = w > 0.0 ? -math::log(u) / w : std::numeric_limits<double>::infinity();
    keys[f] = {weight.empty() ? 0.0 : key, random.bits(f)};
  }
  std::sort(chosen.begin(), chosen.end(), [&](std::int32_t a, std::int32_t b) {
    return keys[a] != keys[b] ? keys[a] < keys[b] : a < b;
  });
  chosen.resize(count);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace gradatim::boost
