// What losses of several classes share.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "gradatim/boost/task.h"
#include "gradatim/core/exact_sum.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {

/// z_k <- e^{z_k} / sum_j e^{z_j}, without overflow.
inline void softmax(std::span<double> z) {
  const double most = *std::max_element(z.begin(), z.end());
  for (double& x : z) x -= most;
  math::exp_all(z);
  double sum = 0.0;
  for (const double x : z) sum += x;
  for (double& x : z) x /= sum;
}

/// The share of the weight that each class has.  // [classes]
inline std::vector<double> class_shares(const Task& task, std::span<const float> label,
                                        std::span<const float> weight) {
  std::vector<ExactSum> mass(static_cast<std::size_t>(task.class_count()));
  ExactSum total;
  for (std::size_t i = 0; i < label.size(); ++i) {
    const double w = weight.empty() ? 1.0 : double{weight[i]};
    mass[static_cast<std::size_t>(label[i])].add(w);
    total.add(w);
  }
  std::vector<double> shares;
  for (const auto& m : mass) shares.push_back(m.value() / total.value());
  return shares;
}

}  // namespace gradatim::boost
