// Mean k(a, a') + mean k(b, b') - 2 mean k(a, b) over different rows, k = exp(-|x - y|^2 / 2 h^2).
#include <algorithm>
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/process/metric/metric.h"

namespace gradatim::process {
namespace {

struct MmdConfig {
  double bandwidth = 0.0;
};

// The median of the squared distances of all pairs of both samples together.
double median_square(const SamplePair& pair) {
  std::vector<const double*> rows;
  for (std::int64_t i = 0; i < pair.rows_a(); ++i) rows.push_back(pair.a.data() + i * pair.dims);
  for (std::int64_t i = 0; i < pair.rows_b(); ++i) rows.push_back(pair.b.data() + i * pair.dims);
  std::vector<double> squares;
  squares.reserve(rows.size() * (rows.size() - 1) / 2);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      squares.push_back(squared_distance(rows[i], rows[j], pair.dims));
    }
  }
  const auto middle = squares.begin() + static_cast<std::ptrdiff_t>(squares.size() / 2);
  std::nth_element(squares.begin(), middle, squares.end());
  if (squares.size() % 2 == 1) return *middle;
  // The mean of the two middle distances.
  const double below = *std::max_element(squares.begin(), middle);
  const double mean = 0.5 * (std::sqrt(below) + std::sqrt(*middle));
  return mean * mean;
}

double mmd(const SamplePair& pair, const MmdConfig& config) {
  double square = config.bandwidth * config.bandwidth;
  if (square == 0.0) square = median_square(pair);
  if (square == 0.0) return 0.0;  // most rows are equal
  const std::int64_t n = pair.rows_a(), m = pair.rows_b();
  const auto sum = [&](std::span<const double> x, std::span<const double> y, bool same) {
    double total = 0.0;
    const auto rows = static_cast<std::int64_t>(x.size()) / pair.dims;
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t most = same ? i : static_cast<std::int64_t>(y.size()) / pair.dims;
      for (std::int64_t j = 0; j < most; ++j) {
        total += std::exp(
            -0.5 / square *
            squared_distance(x.data() + i * pair.dims, y.data() + j * pair.dims, pair.dims));
      }
    }
    return total;
  };
  return 2.0 * sum(pair.a, pair.a, true) / static_cast<double>(n * (n - 1)) +
         2.0 * sum(pair.b, pair.b, true) / static_cast<double>(m * (m - 1)) -
         2.0 * sum(pair.a, pair.b, false) / static_cast<double>(n * m);
}

constexpr api::Setting kSettings[] = {
    api::setting<&MmdConfig::bandwidth>(
        {.doc = "h of the kernel exp(-|x - y|^2 / 2 h^2); 0 takes the median distance of all rows.",
         .range = api::at_least(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.metric.mmd",
    .summary = "Squared maximum mean discrepancy of a Gaussian kernel, unbiased.",
    .detail = "Of samples from the same distribution it is 0 on average, and may be below 0.",
    .source = "Gretton et al. (2012), A kernel two-sample test, lemma 6",
    .shape = "a, b: [rows, dims]",
    .errors = "GRD-1136 the shapes do not fit; GRD-4023 a sample is too small or not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_metric_mmd) = gradatim::api::function<&gradatim::process::mmd>(
    gradatim::process::kText, gradatim::process::kSettings);
