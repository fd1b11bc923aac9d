// One fit of AdaBoost (adaboost.cc has the algorithm): buffers, and the steps of a round.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "gradatim/boost/ensemble/row_distribution.h"
#include "gradatim/boost/ensemble/training_data.h"
#include "gradatim/boost/ensemble/watch.h"
#include "gradatim/boost/learner/learner.h"

namespace gradatim::boost {

/// Whether a weak learner sees weights, or rows drawn by them with replacement.
enum class WeightMode { reweight, resample };

struct AdaBoostConfig {
  std::int64_t n_estimators = 50;
  double learning_rate = 1.0;
  WeightMode mode = WeightMode::reweight;
  std::int32_t max_redraws = 10;
};

/// The votes that rows have collected.
class VotedRows {
 public:
  VotedRows(const LabelledRows& rows, int classes)
      : rows_(rows), classes_(classes), votes_(rows.rows() * classes) {}

  /// `voted` [rows]: the class that a member chose for each row.
  void add(std::span<const double> voted, double alpha);
  /// The weighted share of rows whose winner is another class than theirs.
  double error() const;
  /// Labels and probabilities; valid until the next call.
  MetricInput metric_input();

 private:
  const LabelledRows& rows_;
  int classes_;
  std::vector<double> votes_;          // [rows, classes]
  std::vector<double> probabilities_;  // [rows, classes]
};

class AdaBoostFit {
 public:
  AdaBoostFit(const AdaBoostConfig& config, std::shared_ptr<const Learner> learner,
              const data::FitRequest& request);

  std::shared_ptr<const data::Model> run(const api::Settings& settings);

 private:
  std::unique_ptr<Member> fit_member(std::int64_t round);
  double mark_wrong(const Member& member);
  double alpha_of(double error, bool useless) const;
  void add(std::unique_ptr<Member> member, double alpha, double error);
  std::shared_ptr<const data::Model> finish(const api::Settings& settings);

  const AdaBoostConfig& config_;
  std::shared_ptr<const Learner> learner_;
  const data::FitRequest& request_;
  TrainingData data_;
  BinnedData binned_;
  RowDistribution distribution_;
  std::unique_ptr<Fitter> fitter_;
  std::vector<std::int32_t> features_;
  std::vector<std::uint32_t> rows_;
  ClassStatistics statistics_;
  VotedRows train_votes_;
  std::optional<VotedRows> valid_votes_;
  Watch watch_;
  std::vector<double> voted_;        // by the last member
  std::vector<std::uint8_t> wrong_;  // the last member
  Members members_;
  std::vector<double> alpha_;
  double bound_ = 1.0;
};

}  // namespace gradatim::boost
