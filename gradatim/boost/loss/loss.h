// Loss: what boosting minimises, as a function of labels and scores (margins).
//
// The life of a loss in a fit:
//  1. outputs(task) says how many scores a row has; check() refuses labels it cannot take.
//  2. base_score() gives the constant model, one number an output.
//  3. Each round gradients() fills g and h of a block of rows; virtual once a block, the formula is
//     inlined once a row (elementwise.h).
//  4. Where refits_leaves(), leaf_value() gives each leaf its own optimum after the tree is grown.
//  5. transform() turns scores into predictions.
// Scores, g and h are output-major: [outputs][rows], and so are labels of several targets.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradatim/api/value.h"
#include "gradatim/boost/task.h"

namespace gradatim::boost {

/// A block of rows; pointers are at its first row, outputs and targets lie `stride` apart.
struct GradientBlock {
  std::int64_t rows = 0;
  const float* label = nullptr;
  const double* score = nullptr;
  float* g = nullptr;
  float* h = nullptr;
  std::int64_t stride = 0;
  int outputs = 1;
  int targets = 1;

  /// Labels that output k learns: its own target's, or those of the only one.
  const float* label_of(int k) const { return targets > 1 ? label + k * stride : label; }
};

/// The rows of one leaf (or of everything): labels, scores before the tree, weights (all 1 if
/// empty), of one output.
struct LeafBlock {
  std::span<const float> label;
  std::span<const double> score;
  std::span<const float> weight;
  int output = 0;
};

class Loss {
 public:
  static constexpr std::string_view kKind = "boost.loss";
  virtual ~Loss() = default;

  /// What the target must be.
  virtual TaskKind task() const = 0;
  virtual int outputs(const Task& /*task*/) const { return 1; }
  /// DataError GRD-2020 where the loss does not fit the task, GRD-2032 where a label lies outside
  /// its domain. `label` is [targets][rows]; empty, only the task is looked at.
  virtual void check(const Task& task, std::span<const float> label) const = 0;
  /// The constant scores of least loss, [outputs]; Huber's are near it.
  virtual std::vector<double> base_score(const Task& task, std::span<const float> label,
                                         std::span<const float> weight) const = 0;
  virtual void gradients(const GradientBlock& block) const = 0;
  /// Whether gradients() must see all rows at once, on the thread that called fit (Python).
  virtual bool whole() const { return false; }
  /// Every h is 1, so that sums of h are numbers of rows.
  virtual bool constant_hessian() const { return false; }
  /// The natural size of one target's scores: they are kept on a grid of about 2^-36 of it.
  virtual double scale(std::span<const float> label) const;

  virtual bool refits_leaves() const { return false; }
  virtual double leaf_value(const LeafBlock& /*leaf*/) const { return 0.0; }

  /// Scores [rows][outputs] to predictions in place: a mean, a probability, one a class. A binary
  /// classification has one score and two probabilities, so `out` may be wider than the scores.
  virtual void transform(std::span<const double> scores, int outputs, std::span<double> out) const;
  /// Columns of predictions for so many scores.
  virtual int predictions(int outputs) const { return outputs; }
  /// Names of a row's predictions where one target has several (the levels of quantiles).
  virtual std::vector<std::string> prediction_names() const { return {}; }
  /// Whether predictions of a numeric target are chances that a label of 0 or 1 is 1, so that
  /// metrics of two classes suit them.
  virtual bool predicts_chances() const { return false; }
  /// The metric that early stopping watches unless told otherwise.
  virtual std::string_view default_metric() const = 0;
  /// Settings that its default metric takes over from the loss (the levels of quantiles).
  virtual std::map<std::string, api::Value> metric_settings() const { return {}; }
};

namespace internal {
/// DataError GRD-2020 where the target is classes.
void check_numeric_target(const Task& task);
/// DataError GRD-2020 where the target has not two classes.
void check_two_classes(const Task& task, std::string_view loss);
/// DataError GRD-2032 with the first label that `admits` does not; `rule` says what it would.
void check_labels(std::span<const float> label, std::string_view loss, std::string_view rule,
                  bool (*admits)(float));
/// max |label|, or 1 where all are zero.
double largest_label(std::span<const float> label);
/// (label - score, weight) of every row, for weighted_quantile().
std::vector<std::pair<double, double>> residuals(const LeafBlock& leaf);
}  // namespace internal

}  // namespace gradatim::boost
