#include "gradatim/boost/order_statistics.h"

#include <algorithm>

#include "gradatim/core/exact_sum.h"

namespace gradatim::boost {

double weighted_mean(std::span<const float> x, std::span<const float> weight) {
  ExactSum sum;
  ExactSum total;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double w = weight.empty() ? 1.0 : double{weight[i]};
    sum.add(w * double{x[i]});  // a product of two float32 is exact in float64
    total.add(w);
  }
  const double all = total.value();
  return all > 0.0 ? sum.value() / all : 0.0;
}

double weighted_quantile(std::vector<std::pair<double, double>>& values, double level) {
  if (values.empty()) return 0.0;
  std::sort(values.begin(), values.end());
  ExactSum total;
  for (const auto& value : values) total.add(value.second);
  const double wanted = level * total.value();
  ExactSum below;
  for (std::size_t i = 0; i < values.size(); ++i) {
    below.add(values[i].second);
    const double reached = below.value();
    if (reached > wanted) return values[i].first;
    if (reached == wanted && i + 1 < values.size()) {
      return 0.5 * (values[i].first + values[i + 1].first);
    }
  }
  return values.back().first;
}

}  // namespace gradatim::boost
