#include "gradatim/process/metric/metric.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"

namespace gradatim::process {

SampleMetric::SampleMetric(std::string_view name, Formula formula, std::string_view tags)
    : name_(name),
      formula_(std::move(formula)),
      maximise_(tags.find("maximise") != std::string_view::npos) {}

double SampleMetric::operator()(const SamplePair& pair) const {
  const auto dims = static_cast<std::size_t>(pair.dims);
  GRADATIM_CHECK(pair.dims > 0 && pair.a.size() % dims == 0 && pair.b.size() % dims == 0,
                 UsageError, 1136, "{}: {} and {} numbers are not rows of {}", name_, pair.a.size(),
                 pair.b.size(), pair.dims);
  for (const auto& sample : {pair.a, pair.b}) {
    GRADATIM_CHECK(sample.size() >= 2 * dims, NumericError, 4023,
                   "{}: a sample has {} rows; give at least 2", name_, sample.size() / dims);
    const auto bad = std::ranges::find_if_not(sample, [](double v) { return std::isfinite(v); });
    GRADATIM_CHECK(bad == sample.end(), NumericError, 4023,
                   "{}: row {} holds {}, and samples are finite", name_,
                   static_cast<std::size_t>(bad - sample.begin()) / dims, *bad);
  }
  return formula_(pair);
}

double squared_distance(const double* x, const double* y, std::int64_t dims) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < dims; ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sum;
}

// The integral of |A^-1(u) - B^-1(u)|^order over u in [0, 1]: both quantile functions are steps.
double wasserstein_1d(std::vector<double>& a, std::vector<double>& b, int order) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  double sum = 0.0, u = 0.0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    // (i + 1) / n against (j + 1) / m, in whole numbers.
    const double end_a = static_cast<double>(i + 1) * m;
    const double end_b = static_cast<double>(j + 1) * n;
    const double end = std::min(end_a, end_b) / (n * m);
    const double gap = std::abs(a[i] - b[j]);
    sum += (end - u) * (order == 1 ? gap : gap * gap);
    u = end;
    if (end_a <= end_b) ++i;
    if (end_b <= end_a) ++j;
  }
  return sum;
}

}  // namespace gradatim::process
