// What the learners that grow trees (tree, cart, stump) share: everything but their settings.
#pragma once

#include <cstdint>

#include "gradatim/boost/learner/feature_rules.h"
#include "gradatim/boost/learner/learner.h"
#include "gradatim/boost/tree/criterion.h"
#include "gradatim/boost/tree/grower.h"

namespace gradatim::boost {

enum class TreeMethod { histogram, exact };

struct TreeSettings {
  NewtonRule rule;
  GrowOptions grow;
  Impurity criterion = Impurity::gini;
  TreeMethod tree_method = TreeMethod::histogram;
  std::int32_t max_bin = 255;
  double colsample_bytree = 1.0;
  std::int64_t min_child_samples = 1;
  NamedRules features;
  bool linear_tree = false;
  double linear_lambda = 0.0;
};

class TreeLearner : public Learner {
 public:
  using Interface = Learner;
  /// UsageError GRD-1073 where linear leaves would break a limit.
  explicit TreeLearner(const TreeSettings& settings);

  BinOptions bin_options(std::int64_t rows) const override;
  std::unique_ptr<Fitter> start(const FitContext& context) const override;
  double colsample_bytree() const override { return settings_.colsample_bytree; }
  FeatureRules feature_rules(std::span<const FeatureBins> features) const override {
    return resolve(settings_.features, features);
  }
  bool joins_ranks() const override { return !settings_.linear_tree; }
  bool linear_leaves() const override { return settings_.linear_tree; }
  void store(std::span<const std::unique_ptr<Member>> members,
             SafetensorsWriter& file) const override;
  Members load(const SafetensorsFile& file, std::span<const FeatureBins> features) const override;
  void check_classes(const SafetensorsFile& file, std::span<const std::unique_ptr<Member>> members,
                     int classes) const override;
  void importances(std::span<const std::unique_ptr<Member>> members, std::span<double> gain,
                   std::span<double> cover, std::span<double> count) const override;

 private:
  TreeSettings settings_;
};

}  // namespace gradatim::boost
