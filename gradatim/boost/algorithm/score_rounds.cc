// The rounds of a ScoreAlgorithm: fit, shrink, add, look.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "gradatim/boost/algorithm/score_algorithm.h"
#include "gradatim/boost/algorithm/score_model.h"
#include "gradatim/boost/ensemble/voted_rows.h"
#include "gradatim/core/error.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::boost {
namespace {

constexpr std::int64_t kBlock = 4096;

class ScoreRounds final : public Rounds {
 public:
  ScoreRounds(std::shared_ptr<const ScoreAlgorithm> algorithm, const AdaBoostFit& fit)
      : algorithm_(std::move(algorithm)),
        fit_(fit),
        outputs_(ScoreAlgorithm::outputs(fit.classes())),
        train_(fit.data.train, zeros(), grid_.step),
        work_(fit_, train_, outputs_, algorithm_->name()),
        wrong_(static_cast<std::size_t>(train_.rows())) {
    if (fit.valid() != nullptr) valid_.emplace(*fit.valid(), zeros(), grid_.step);
  }

  // All members of a round are fitted to the scores before it.
  Round boost(std::int64_t /*round*/) override {
    Members members = algorithm_->fit(work_);
    const double rate = fit_.config.learning_rate * algorithm_->step(fit_.classes());
    int output = 0;
    for (auto& member : members) {
      member->shrink(rate, grid_);
      train_.add(*member, &*fit_.data.binned, output);
      if (valid_)
        valid_->add(*member, fit_.data.valid_bins ? &*fit_.data.valid_bins : nullptr, output);
      output += member->outputs();
      members_.push_back(std::move(member));
    }
    look_at_scores();
    return Round::added;
  }

  void note(Watch& watch) override {
    watch.note("train.error", marked_share(wrong_, fit_.data.train));
    watch.note("train.loss", algorithm_->loss(work_));
  }

  MetricInput watched() override {
    return valid_->metric_input(outputs_, fit_.classes(),
                                [&](std::span<const double> scores, std::span<double> out) {
                                  algorithm_->probabilities(scores, fit_.classes(), out);
                                });
  }

  std::shared_ptr<const data::Model> finish(data::ModelCard card, EnsembleParts parts) override {
    parts.members_per_round = outputs_ / algorithm_->width(fit_.classes());
    members_.resize(card.rounds * parts.members_per_round);
    parts.members = std::move(members_);
    return std::make_shared<ScoreModel>(std::move(card), std::move(parts), algorithm_);
  }

 private:
  std::vector<double> zeros() const { return std::vector<double>(outputs_); }

  // Which rows are wrong, and whether sums on the grid are still exact.
  void look_at_scores() {
    const double limit = std::ldexp(grid_.step, 52);
    std::vector<std::uint8_t> beyond((train_.rows() + kBlock - 1) / kBlock);
    parallel_for(train_.rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
      bool sound = true;
      for (std::int64_t row = begin; row < end; ++row) {
        int best = 0;
        for (int k = 0; k < outputs_; ++k) {
          sound = sound && std::abs(work_.score(row, k)) < limit;
          if (work_.score(row, k) > work_.score(row, best)) best = k;
        }
        if (outputs_ == 1) best = work_.score(row, 0) > 0.0 ? 1 : 0;
        wrong_[row] = best != work_.label(row);
      }
      beyond[begin / kBlock] = sound ? 0 : 1;
    });
    const std::int64_t unsound = std::ranges::count(beyond, 1);
    GRADATIM_CHECK(dist::maximum(*fit_.data.train.shard.group, unsound) == 0, NumericError, 4002,
                   "scores grew beyond {} and the fit diverges; lower the learning rate", limit);
  }

  std::shared_ptr<const ScoreAlgorithm> algorithm_;
  const AdaBoostFit fit_;
  const Grid grid_;
  const int outputs_;
  ScoredRows train_;
  std::optional<ScoredRows> valid_;
  RoundWork work_;
  std::vector<std::uint8_t> wrong_;  // [rows], by the scores so far
  Members members_;
};

}  // namespace

std::unique_ptr<Rounds> ScoreAlgorithm::start(const AdaBoostFit& fit) const {
  GRADATIM_CHECK(fit.config.mode == WeightMode::reweight, UsageError, 1061,
                 "mode=resample draws rows for algorithm=samme alone; leave it out with {}",
                 name());
  return std::make_unique<ScoreRounds>(shared_from_this(), fit);
}

}  // namespace gradatim::boost
