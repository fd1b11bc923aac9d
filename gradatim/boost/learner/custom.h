// A weak learner of the caller's own, given as a function: scikit-learn's trees, a neural network,
// a lambda. It lives in memory only, for code is never stored.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "gradatim/boost/learner/learner.h"

namespace gradatim::boost {

/// What a function-made learner is asked to fit.
struct CustomFit {
  const data::Table* features = nullptr;  // all training rows; categories as codes of the model
  std::span<const std::uint32_t> rows;    // that take part, ascending
  std::span<const double> target;         // [rows]: a class's index, or the wanted step -g/h
  std::span<const double> weight;         // [rows]: D_m (or hits), or the hessian h
  int classes = 0;                        // 0 where the target is a number
};

class CustomLearner final : public Learner {
 public:
  using Interface = Learner;
  /// Fills out[i] with a value, or a class's index, for each row.
  using Predict = std::function<void(const RowBlock& rows, double* out)>;
  using Fit = std::function<Predict(const CustomFit& fit)>;

  /// Both functions are called on the thread that called fit or predict.
  explicit CustomLearner(Fit fit) : fit_(std::move(fit)) {}

  BinOptions bin_options(std::int64_t /*rows*/) const override { return {}; }
  std::unique_ptr<Fitter> start(const FitContext& context) const override;
  /// UsageError GRD-1023: there is nothing to store but code.
  void store(std::span<const std::unique_ptr<Member>> members,
             SafetensorsWriter& file) const override;
  Members load(const SafetensorsFile& file, std::span<const FeatureBins> features) const override;
  void check_classes(const SafetensorsFile& /*file*/,
                     std::span<const std::unique_ptr<Member>> /*members*/,
                     int /*classes*/) const override {}  // members check what they predict

 private:
  Fit fit_;
};

}  // namespace gradatim::boost
