// Metrics of samples: how far apart two sets of rows are. Exported functions, in float64.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gradatim::process {

class SampleMetric;

/// Two samples of the same dimensions; where it matters, `a` is the real one.
struct SamplePair {
  using Interface = SampleMetric;
  static constexpr std::string_view kSignature = "a b";

  std::span<const double> a, b;  // [rows, dims] each, row-major
  std::int64_t dims = 1;

  std::int64_t rows_a() const { return static_cast<std::int64_t>(a.size()) / dims; }
  std::int64_t rows_b() const { return static_cast<std::int64_t>(b.size()) / dims; }
};

/// Tags: "maximise" where more is better.
class SampleMetric {
 public:
  static constexpr std::string_view kKind = "process.metric";
  using Formula = std::function<double(const SamplePair&)>;
  SampleMetric(std::string_view name, Formula formula, std::string_view tags);

  const std::string& name() const { return name_; }
  bool maximise() const { return maximise_; }
  /// NumericError GRD-4023 where a sample has fewer than two rows or a number that is not finite,
  /// UsageError GRD-1136 where shapes do not fit.
  double operator()(const SamplePair& pair) const;

 private:
  std::string name_;
  Formula formula_;
  bool maximise_;
};

/// |x - y|^2 of two rows.
double squared_distance(const double* x, const double* y, std::int64_t dims);
/// Wasserstein's distance of two sets of numbers, to the power `order`; sorts them.
double wasserstein_1d(std::vector<double>& a, std::vector<double>& b, int order);

}  // namespace gradatim::process
