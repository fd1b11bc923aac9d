// The row loop of losses that treat each row alone, written once.
//
// A formula is a functor: Gradient operator()(float label, double z) const, where z is the score
// after `link` (which works on a whole block, so that exp is vectorised). Where outputs differ,
// output(k) gives the formula of one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/loss/constant.h"
#include "gradatim/boost/loss/loss.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {

template <class Formula>
class Elementwise : public Loss {
 public:
  using Interface = Loss;
  Elementwise() = default;
  explicit Elementwise(const Formula& formula) : formula_(formula) {}

  void gradients(const GradientBlock& block) const override {
    constexpr std::int64_t kBlock = 1024;
    double z[kBlock];
    for (int k = 0; k < block.outputs; ++k) {
      const auto formula = formula_of(k);
      const float* label = block.label_of(k);
      const std::int64_t first = k * block.stride;
      for (std::int64_t begin = 0; begin < block.rows; begin += kBlock) {
        const std::int64_t count = std::min(kBlock, block.rows - begin);
        std::copy_n(block.score + first + begin, count, z);
        formula.link(std::span(z, static_cast<std::size_t>(count)));
        for (std::int64_t i = 0; i < count; ++i) {
          const Gradient d = formula(label[begin + i], z[i]);
          block.g[first + begin + i] = static_cast<float>(d.g);
          block.h[first + begin + i] = static_cast<float>(d.h);
        }
      }
    }
  }

 protected:
  auto formula_of(int k) const {
    if constexpr (requires(const Formula& f) { f.output(k); }) {
      return formula_.output(k);
    } else {
      return formula_;
    }
  }

  Formula formula_;
};

/// What losses of a numeric target share; of several targets, each has an output of its own.
template <class Formula>
class RegressionLoss : public Elementwise<Formula> {
 public:
  using Elementwise<Formula>::Elementwise;
  TaskKind task() const override { return TaskKind::regression; }
  int outputs(const Task& task) const override { return task.targets; }
  void check(const Task& task, std::span<const float> /*label*/) const override {
    internal::check_numeric_target(task);
  }
  double scale(std::span<const float> label) const override {
    return internal::largest_label(label);
  }
  std::vector<double> base_score(const Task& task, std::span<const float> label,
                                 std::span<const float> weight) const override {
    const std::size_t rows = label.size() / static_cast<std::size_t>(task.targets);
    std::vector<double> scores;
    for (int k = 0; k < this->outputs(task); ++k) {
      const std::size_t target = task.targets > 1 ? static_cast<std::size_t>(k) : 0;
      scores.push_back(constant(label.subspan(target * rows, rows), weight, k));
    }
    return scores;
  }

 protected:
  /// The score of least loss for all rows of one output. Here for convex losses that are least
  /// somewhere between the smallest label and the largest.
  virtual double constant(std::span<const float> label, std::span<const float> weight,
                          int k) const {
    const auto formula = this->formula_of(k);
    return constant_of_least_loss(label, weight, [&](float y, double c) {
      formula.link(std::span(&c, 1));
      return formula(y, c);
    });
  }
};

/// What losses of two classes share; Formula::probability(score) is that of the second.
template <class Formula>
class TwoClassLoss : public Elementwise<Formula> {
 public:
  using Elementwise<Formula>::Elementwise;
  TaskKind task() const override { return TaskKind::classification; }
  int predictions(int /*outputs*/) const override { return 2; }
  void transform(std::span<const double> scores, int /*outputs*/,
                 std::span<double> out) const override {
    for (std::size_t i = scores.size(); i-- > 0;) {
      const double p = Formula::probability(scores[i]);
      out[2 * i] = 1.0 - p;
      out[2 * i + 1] = p;
    }
  }
  std::string_view default_metric() const override { return "boost.metric.log_loss"; }
};

}  // namespace gradatim::boost
