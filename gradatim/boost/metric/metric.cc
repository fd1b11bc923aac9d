#include "gradatim/boost/metric/metric.h"

#include <algorithm>
#include <utility>

namespace gradatim::boost {

Metric::Metric(std::string_view name, Formula formula, std::string_view tags)
    : name_(name),
      formula_(std::move(formula)),
      maximise_(tags.find("maximise") != std::string_view::npos) {}

int MetricInput::predicted_class(std::int64_t row) const {
  const auto p = prediction.subspan(row * columns, columns);
  return static_cast<int>(std::max_element(p.begin(), p.end()) - p.begin());
}

}  // namespace gradatim::boost
