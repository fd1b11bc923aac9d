// Weights of classes, as factors of the rows' weights.
#pragma once

#include <span>
#include <vector>

#include "gradatim/boost/task.h"

namespace gradatim::boost {

enum class ClassWeight { none, balanced };

struct ClassBalance {
  ClassWeight class_weight = ClassWeight::none;
  double scale_pos_weight = 1.0;  // of the second of two classes
};

/// Weights [rows] of rows with these labels, `weight` (empty or [rows]) times the class's factor;
/// balanced is rows / (classes * rows of the class). UsageError GRD-1033 where the target is not
/// classes, or for scale_pos_weight not two.
std::vector<float> balanced(const ClassBalance& balance, const Task& task,
                            std::span<const float> label, std::vector<float> weight);

}  // namespace gradatim::boost
