#include "gradatim/boost/ensemble/class_balance.h"

#include <fmt/format.h>

#include <cmath>

#include "gradatim/core/error.h"

namespace gradatim::boost {

std::vector<float> balanced(const ClassBalance& balance, const std::map<std::string, double>& given,
                            const Task& task, std::span<const float> label,
                            std::vector<float> weight) {
  const bool counts = balance.class_weight == ClassWeight::balanced;
  if (!counts && balance.scale_pos_weight == 1.0 && given.empty()) return weight;
  const std::size_t classes = task.classes.size();
  GRADATIM_CHECK((!counts && given.empty()) || task.classification(), UsageError, 1033,
                 "class_weight needs a target of classes, and this one is numbers");
  GRADATIM_CHECK(balance.scale_pos_weight == 1.0 || classes == 2, UsageError, 1033,
                 "scale_pos_weight needs a target of two classes; this one has {}", classes);
  std::vector<double> factor(classes, 1.0);
  if (counts) {
    std::vector<double> rows(classes);
    for (const float y : label) rows[static_cast<std::size_t>(y)] += 1.0;
    for (std::size_t k = 0; k < classes; ++k) {
      factor[k] = static_cast<double>(label.size()) / (static_cast<double>(classes) * rows[k]);
    }
  }
  for (std::size_t k = 0; k < classes; ++k) {
    const auto found = given.find(task.classes[k]);
    if (found == given.end()) continue;
    GRADATIM_CHECK(found->second > 0.0 && std::isfinite(found->second), UsageError, 1003,
                   "the weight of class '{}' must be above 0; got {}", found->first, found->second);
    factor[k] *= found->second;
  }
  if (classes == 2) factor[1] *= balance.scale_pos_weight;
  if (weight.empty()) weight.assign(label.size(), 1.0F);
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const double scaled = double{weight[i]} * factor[static_cast<std::size_t>(label[i])];
    weight[i] = static_cast<float>(scaled);
  }
  return weight;
}

}  // namespace gradatim::boost
