#include "gradatim/boost/loss/loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::boost {

double Loss::scale(std::span<const float> /*label*/) const { return 1.0; }

void Loss::transform(std::span<const double> scores, int /*outputs*/, std::span<double> out) const {
  std::copy(scores.begin(), scores.end(), out.begin());
}

void internal::check_numeric_target(const Task& task) {
  if (!task.classification()) return;
  throw DataError(2020,
                  "this loss needs a numeric target, and the target is classes; use "
                  "boost.loss.logistic or boost.loss.softmax, or make the target numeric");
}

void internal::check_two_classes(const Task& task, std::string_view loss) {
  GRADATIM_CHECK(task.classification(), DataError, 2020,
                 "{} needs a target of two classes, and it is numeric; use boost.loss.squared or "
                 "declare the target categorical",
                 loss);
  GRADATIM_CHECK(task.class_count() == 2, DataError, 2020,
                 "{} takes two classes and the target has {}; use boost.loss.softmax", loss,
                 task.class_count());
}

void internal::check_labels(std::span<const float> label, std::string_view loss,
                            std::string_view rule, bool (*admits)(float)) {
  const auto bad = std::find_if_not(label.begin(), label.end(), admits);
  if (bad == label.end()) return;
  throw DataError(2032, fmt::format("{} needs labels {}, and there is {}; correct the target or "
                                    "choose another loss",
                                    loss, rule, number_text(*bad)));
}

double internal::largest_label(std::span<const float> label) {
  float most = 0.0F;
  for (const float y : label) most = std::max(most, std::abs(y));
  return most > 0.0F ? double{most} : 1.0;
}

std::vector<std::pair<double, double>> internal::residuals(const LeafBlock& leaf) {
  std::vector<std::pair<double, double>> residuals(leaf.label.size());
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    residuals[i] = {double{leaf.label[i]} - leaf.score[i],
                    leaf.weight.empty() ? 1.0 : double{leaf.weight[i]}};
  }
  return residuals;
}

}  // namespace gradatim::boost
