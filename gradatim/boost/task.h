// What is to be learned: numbers or classes.
#pragma once

#include <string>
#include <vector>

namespace gradatim::boost {

enum class TaskKind { regression, classification };

struct Task {
  TaskKind kind = TaskKind::regression;
  std::vector<std::string> classes;  // labels are indices into it
  int targets = 1;                   // columns of numbers to be learned at once

  bool classification() const { return kind == TaskKind::classification; }
  int class_count() const { return static_cast<int>(classes.size()); }
};

}  // namespace gradatim::boost
