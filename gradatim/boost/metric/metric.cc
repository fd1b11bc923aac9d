#include "gradatim/boost/metric/metric.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "gradatim/core/error.h"

namespace gradatim::boost {

Metric::Metric(std::string_view name, Formula formula, std::string_view tags)
    : name_(name),
      formula_(std::move(formula)),
      maximise_(tags.find("maximise") != std::string_view::npos),
      joint_(tags.find("joint") != std::string_view::npos) {}

double Metric::operator()(const MetricInput& input) const {
  if (input.targets == 1 || joint_) return formula_(input);
  const std::int64_t rows = input.rows();
  const int columns = input.columns / input.targets;
  std::vector<double> own(static_cast<std::size_t>(rows * columns));
  double sum = 0.0;
  for (int target = 0; target < input.targets; ++target) {
    for (std::int64_t row = 0; row < rows; ++row) {
      std::copy_n(input.prediction.begin() + row * input.columns + target * columns, columns,
                  own.begin() + row * columns);
    }
    sum += formula_({input.label.subspan(target * rows, rows), own, columns, input.weight});
  }
  return sum / input.targets;
}

int MetricInput::true_class(std::int64_t row) const {
  const double k = label[row];
  GRADATIM_CHECK(k >= 0.0 && k < static_cast<double>(columns), NumericError, 4010,
                 "row {} is of class {} and the predictions have {} classes, counted from 0",
                 row + 1, k, columns);
  return static_cast<int>(k);
}

int MetricInput::predicted_class(std::int64_t row) const {
  const auto p = prediction.subspan(row * columns, columns);
  return static_cast<int>(std::max_element(p.begin(), p.end()) - p.begin());
}

}  // namespace gradatim::boost
