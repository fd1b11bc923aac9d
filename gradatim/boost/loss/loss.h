// Loss: what boosting minimises, as a function of labels and scores (margins).
//
// The life of a loss in a fit:
//  1. outputs(task) says how many scores a row has; check() refuses labels it cannot take.
//  2. base_score() gives the constant model, one number an output.
//  3. Each round gradients() fills g and h of a block of rows; virtual once a block, the formula is
//     inlined once a row (elementwise.h).
//  4. Where refits_leaves(), leaf_value() gives each leaf its own optimum after the tree is grown.
//  5. transform() turns scores into predictions.
// Scores, g and h are output-major: [outputs][rows].
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "gradatim/boost/task.h"

namespace gradatim::boost {

/// A block of rows; pointers are at its first row, outputs lie `stride` apart.
struct GradientBlock {
  std::int64_t rows = 0;
  const float* label = nullptr;
  const double* score = nullptr;
  float* g = nullptr;
  float* h = nullptr;
  std::int64_t stride = 0;
  int outputs = 1;
};

/// The rows of one leaf (or of everything): labels, scores before the tree, weights (all 1 if
/// empty).
struct LeafBlock {
  std::span<const float> label;
  std::span<const double> score;
  std::span<const float> weight;
};

class Loss {
 public:
  static constexpr std::string_view kKind = "boost.loss";
  virtual ~Loss() = default;

  /// What the target must be.
  virtual TaskKind task() const = 0;
  virtual int outputs(const Task& /*task*/) const { return 1; }
  /// DataError GRD-2020 where the loss does not fit the task or the labels.
  virtual void check(const Task& task, std::span<const float> label) const = 0;
  /// The constant scores of least loss, [outputs].
  virtual std::vector<double> base_score(const Task& task, std::span<const float> label,
                                         std::span<const float> weight) const = 0;
  virtual void gradients(const GradientBlock& block) const = 0;
  /// Whether gradients() must see all rows at once, on the thread that called fit (Python).
  virtual bool whole() const { return false; }
  /// Every h is 1, so that sums of h are numbers of rows.
  virtual bool constant_hessian() const { return false; }
  /// The natural size of scores: they are kept on a grid of 2^-36 of it.
  virtual double scale(std::span<const float> label) const;

  virtual bool refits_leaves() const { return false; }
  virtual double leaf_value(const LeafBlock& /*leaf*/) const { return 0.0; }

  /// Scores [rows][outputs] to predictions in place: a mean, a probability, one a class. A binary
  /// classification has one score and two probabilities, so `out` may be wider than the scores.
  virtual void transform(std::span<const double> scores, int outputs, std::span<double> out) const;
  /// Columns of predictions for so many scores.
  virtual int predictions(int outputs) const { return outputs; }
  /// The metric that early stopping watches unless told otherwise.
  virtual std::string_view default_metric() const = 0;
};

}  // namespace gradatim::boost
