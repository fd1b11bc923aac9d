// A linear model as a member of an ensemble, and linear members as arrays of a model file.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gradatim/boost/learner/learner.h"

namespace gradatim::boost {

/// Coordinates of all features in order: one for a number, one a category.
std::vector<std::int64_t> first_coordinates(std::span<const FeatureBins> features);

// K classes have K sets of weights, of which the largest value wins; a regression has one.
class LinearMember final : public Member {
 public:
  LinearMember(std::vector<std::int64_t> first, std::vector<bool> categorical, int outputs)
      : first_(std::move(first)),
        categorical_(std::move(categorical)),
        outputs_(outputs),
        weights_(outputs * first_.back()),
        bias_(outputs) {}

  void predict(const RowBlock& rows, double* out) const override {
    for (std::int64_t i = 0; i < rows.rows; ++i) {
      out[i] = decide([&](int k) { return value(rows.row(i), k); });
    }
  }
  /// Bins have no values: ensembles ask needs_values() first.
  void predict(const BinnedData& data, std::int64_t begin, std::int64_t end,
               double* out) const override;
  bool needs_values() const override { return true; }
  void shrink(double rate, const Grid& grid) override {
    for (double& w : weights_) w *= rate;
    for (double& b : bias_) b *= rate;
    step_ = grid.step;
  }

  double& weight(int k, std::int64_t coordinate) {
    return weights_[k * first_.back() + coordinate];
  }
  double& bias(int k) { return bias_[k]; }
  double value(const double* row, int k) const;
  int scores() const { return outputs_; }
  const std::vector<double>& weights() const { return weights_; }
  const std::vector<double>& biases() const { return bias_; }
  std::int64_t first(std::size_t feature) const { return first_[feature]; }
  double step() const { return step_; }
  void restore(std::span<const double> weights, std::span<const double> bias, double step) {
    weights_.assign(weights.begin(), weights.end());
    bias_.assign(bias.begin(), bias.end());
    step_ = step;
  }

 private:
  template <class F>
  double decide(F&& value_of) const {
    if (outputs_ == 1)
      return step_ > 0.0 ? std::nearbyint(value_of(0) / step_) * step_ : value_of(0);
    int best = 0;
    double most = value_of(0);
    for (int k = 1; k < outputs_; ++k) {
      const double x = value_of(k);
      if (x > most) {
        most = x;
        best = k;
      }
    }
    return best;
  }

  std::vector<std::int64_t> first_;
  std::vector<bool> categorical_;
  int outputs_;
  std::vector<double> weights_;  // [outputs, coordinates]
  std::vector<double> bias_;
  double step_ = 0.0;  // of the grid that values are rounded to
};

/// Arrays "linear.weights" [members, outputs, coordinates], "linear.bias" and "linear.step".
void store_linear(std::span<const std::unique_ptr<Member>> members, SafetensorsWriter& file);
/// ModelError GRD-3010 where sizes do not fit or a weight is not finite.
Members load_linear(const SafetensorsFile& file, std::span<const FeatureBins> features);

}  // namespace gradatim::boost
