// Metrics: how good predictions are. Exported functions, so a metric is a formula and its text.
//
// Sums over rows are exact, so a metric (and with it early stopping) does not depend on threads.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gradatim::boost {

class Metric;

/// Labels as training keeps them, or as they came: float32 of 100,000,003 is 100,000,000.
class LabelSpan {
 public:
  LabelSpan(std::span<const float> label) : narrow_(label.data()), size_(label.size()) {}
  LabelSpan(const std::vector<float>& label) : LabelSpan(std::span(label)) {}
  LabelSpan(std::span<const double> label) : wide_(label.data()), size_(label.size()) {}
  LabelSpan(const std::vector<double>& label) : LabelSpan(std::span(label)) {}

  std::size_t size() const { return size_; }
  double operator[](std::size_t row) const {
    return wide_ != nullptr ? wide_[row] : double{narrow_[row]};
  }
  LabelSpan subspan(std::size_t begin, std::size_t count) const {
    if (wide_ != nullptr) return std::span(wide_ + begin, count);
    return std::span(narrow_ + begin, count);
  }

 private:
  const float* narrow_ = nullptr;
  const double* wide_ = nullptr;
  std::size_t size_;
};

/// Labels and predictions of some rows. Of several targets, labels are [targets][rows] and the
/// columns of a row's predictions are equally many a target.
struct MetricInput {
  using Interface = Metric;
  static constexpr std::string_view kSignature = "y_true y_pred sample_weight";

  LabelSpan label;                     // a number, or a class's index
  std::span<const double> prediction;  // [rows, columns]: a value, or a probability a class
  int columns = 1;
  std::span<const float> weight;  // empty: all 1
  int targets = 1;

  std::int64_t rows() const { return static_cast<std::int64_t>(label.size()) / targets; }
  double weight_of(std::int64_t row) const { return weight.empty() ? 1.0 : double{weight[row]}; }
  /// The label as a class. NumericError GRD-4010 where the predictions have no such class.
  int true_class(std::int64_t row) const;
  /// The likeliest class; the lowest of equals.
  int predicted_class(std::int64_t row) const;
};

/// Tags: "maximise" where more is better; "regression", "classification" or "binary" for its use;
/// "usual" where it is shown unless others are asked for; "many" where it takes several predictions
/// of one number; "joint" where it sees all targets at once. Others are averaged over targets.
class Metric {
 public:
  static constexpr std::string_view kKind = "boost.metric";
  using Formula = std::function<double(const MetricInput&)>;
  Metric(std::string_view name, Formula formula, std::string_view tags);

  const std::string& name() const { return name_; }
  /// The last word of the name, as histories and reports print it.
  std::string_view short_name() const {
    return std::string_view(name_).substr(name_.rfind('.') + 1);
  }
  bool maximise() const { return maximise_; }
  /// NumericError GRD-4010 where it is not defined (no weight, one class for an AUC).
  double operator()(const MetricInput& input) const;

 private:
  std::string name_;
  Formula formula_;
  bool maximise_;
  bool joint_;
};

}  // namespace gradatim::boost
