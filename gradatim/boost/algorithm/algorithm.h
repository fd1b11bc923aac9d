// Algorithm: what a round of AdaBoost fits, how it is added to the scores, and what weighs next.
//
// The life of an algorithm in a fit:
//  1. start() makes the fit's Rounds, which owns every buffer.
//  2. Each round boost() fits members to the weighted rows and adds them to the scores of all rows.
//  3. note() says how the training rows fare, watched() how the validation rows do.
//  4. finish() makes a model of the rounds that stay; load() reads one from a file.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "gradatim/boost/ensemble/additive_data.h"
#include "gradatim/boost/ensemble/ensemble_model.h"
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
  std::int64_t early_stopping_rounds = 0;
};

/// What a fit of AdaBoost is made of; all of it outlives the rounds.
struct AdaBoostFit {
  const AdaBoostConfig& config;
  const AdditiveData& data;  // binned
  std::shared_ptr<const Learner> learner;
  std::uint64_t seed = 0;

  int classes() const { return data.task.class_count(); }
  const LabelledRows* valid() const { return data.valid ? &*data.valid : nullptr; }
};

/// What became of a round.
enum class Round { added, added_last, none };

class Rounds {
 public:
  virtual ~Rounds() = default;
  /// Fits round `round` and adds it, or finds that there is nothing to add.
  virtual Round boost(std::int64_t round) = 0;
  /// Adds values of the training rows to the history.
  virtual void note(Watch& watch) = 0;
  /// Labels and probabilities of the validation rows; valid until the next call.
  virtual MetricInput watched() = 0;
  /// The model of the first so many rounds; `parts` lack members.
  virtual std::shared_ptr<const data::Model> finish(data::ModelCard card, EnsembleParts parts) = 0;
};

class Algorithm {
 public:
  static constexpr std::string_view kKind = "boost.algorithm";
  virtual ~Algorithm() = default;

  virtual std::unique_ptr<Rounds> start(const AdaBoostFit& fit) const = 0;
  /// Reads what finish() wrote; `parts` lack members. ModelError GRD-3010 where it is damaged.
  virtual std::shared_ptr<const data::Model> load(const SafetensorsFile& file,
                                                  const data::ModelCard& card,
                                                  EnsembleParts parts) const = 0;
  /// The metric that early stopping watches unless told otherwise.
  virtual std::string_view default_metric() const = 0;
};

/// The features of one member: those of the learner's share that (seed, member) draws.
std::vector<std::int32_t> features_of_member(const AdaBoostFit& fit, const Fitter& fitter,
                                             std::uint32_t member);

}  // namespace gradatim::boost
