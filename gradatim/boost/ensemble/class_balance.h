// Weights of classes, as factors of the rows' weights.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "gradatim/boost/task.h"

namespace gradatim::boost {

enum class ClassWeight { none, balanced };

struct ClassBalance {
  ClassWeight class_weight = ClassWeight::none;
  double scale_pos_weight = 1.0;  // of the second of two classes
};

/// Weights [rows] of rows with these labels, `weight` (empty or [rows]) times the class's factors:
/// the setting's, where balanced is rows / (classes * rows of the class), and those that are
/// `given` by class. UsageError GRD-1033 where the target is not classes, or for scale_pos_weight
/// not two, GRD-1003 where one given is not above 0.
std::vector<float> balanced(const ClassBalance& balance, const std::map<std::string, double>& given,
                            const Task& task, std::span<const float> label,
                            std::vector<float> weight);

}  // namespace gradatim::boost
