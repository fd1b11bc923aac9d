// Two small pictures as SVG, legible on light and on dark pages: bars, and curves.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gradatim::cli {

struct Bar {
  std::string label;
  double value = 0.0;
};
/// Horizontal bars from zero, in the order given.
std::string bar_chart(const std::string& title, const std::string& axis,
                      const std::vector<Bar>& bars);

struct Curve {
  std::string label;
  std::vector<double> values;  // at 1, 2, ...
};
/// Curves over steps; `marked` is a step to point at, or 0.
std::string line_chart(const std::string& title, const std::string& axis,
                       const std::vector<Curve>& curves, std::int64_t marked);

}  // namespace gradatim::cli
