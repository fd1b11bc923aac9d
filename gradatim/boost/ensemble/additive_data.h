// The rows of additive fits, prepared once: labels, weights, bins.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gradatim/boost/category/fit_statistics.h"
#include "gradatim/boost/ensemble/training_data.h"
#include "gradatim/boost/learner/learner.h"
#include "gradatim/boost/loss/loss.h"
#include "gradatim/data/stepped_fit.h"

namespace gradatim::boost {

struct AdditiveData final : data::PreparedData {
  /// Labels and weights; `loss` may be null, for any task.
  AdditiveData(const data::FitRequest& request, const Loss* loss);
  explicit AdditiveData(TrainingData data);
  /// Adds target statistics as further features, where the config wants them or `before`, a model
  /// to go on from, has them. GRD-2050 where a column has the name that one takes.
  void add_statistics(const TargetStatisticsConfig& config, const Learner& learner,
                      std::uint64_t seed, const std::vector<std::string>& targets,
                      const data::Schema* known = nullptr,
                      const TargetStatistics* before = nullptr);
  /// Chooses bins, and puts the features' categories in order of bins, those of `known` first.
  void bin(const Learner& learner, std::uint64_t seed, const data::Schema* known = nullptr);

  std::int64_t rows() const override { return train.rows(); }
  std::vector<std::int32_t> classes() const override;

  Task task;
  LabelledRows train;
  std::optional<LabelledRows> valid;
  data::Schema schema;                                 // of all features, statistics included
  std::shared_ptr<const TargetStatistics> statistics;  // or null
  std::optional<BinnedData> binned;
  std::optional<BinnedData> valid_bins;  // none where bins are exact
};

/// What the learner's settings say of the features.
FeatureRules rules_of(const Learner& learner, const data::Table& features);
/// The features of rows with further columns behind them, by these names.
data::Table with_columns(const data::Table& features, const std::vector<data::Column>& more,
                         const std::vector<std::string>& names);

/// Scores are kept on this grid: 2^-36 of the natural size of the smallest target's, with room for
/// 256 times as much.
Grid grid_of(const Loss& loss, std::span<const float> label, int targets);
/// The constant scores that a fit begins with; none where the rows bring their own.
std::vector<double> base_score_of(const Loss& loss, const Task& task, const LabelledRows& rows,
                                  const Grid& grid);

}  // namespace gradatim::boost
