// F(x) = base + sum of members: what gradient and Newton boosting fit.
#pragma once

#include "gradatim/boost/ensemble/ensemble_model.h"
#include "gradatim/boost/loss/loss.h"

namespace gradatim::boost {

struct AdditiveParts {
  EnsembleParts ensemble;
  std::shared_ptr<const Loss> loss;
  std::vector<double> base_score;  // [outputs]
};

/// What models have in common whose scores are sums of members' values.
class SumModel : public EnsembleModel {
 public:
  int state_columns() const override { return static_cast<int>(base_score_.size()); }
  void accumulate(const RowBlock& rows, std::int64_t round, double* state) const override;
  void accumulate_trees(const TreeRows& rows, std::int64_t first, std::int64_t last,
                        double* state) const override;
  void accumulate_row(const Forest& trees, const double* features, std::int64_t first,
                      std::int64_t last, double* state) const override;
  void start(std::int64_t rows, double* state) const override;
  bool sums_members() const override { return true; }

  std::span<const double> base_score() const { return base_score_; }
  const TargetStatistics* statistics() const { return parts().statistics.get(); }  // or null
  int members_per_round() const { return parts().members_per_round; }

 protected:
  SumModel(data::ModelCard card, EnsembleParts parts, std::vector<double> base_score)
      : EnsembleModel(std::move(card), std::move(parts)), base_score_(std::move(base_score)) {}

 private:
  std::vector<double> base_score_;  // [outputs]
};

class AdditiveModel final : public SumModel {
 public:
  AdditiveModel(data::ModelCard card, AdditiveParts parts);

  int prediction_columns(data::PredictKind kind) const override;
  void finish(const double* state, std::int64_t rows, std::int64_t rounds, data::PredictKind kind,
              double* out) const override;
  const Loss* loss() const override { return loss_.get(); }
  std::shared_ptr<const Loss> shared_loss() const { return loss_; }
  void store_more(SafetensorsWriter& file) const override;

 private:
  std::shared_ptr<const Loss> loss_;
};

/// Reads what an AdditiveModel stored; `loss` and `learner` are the trainer's (null: by the task).
std::shared_ptr<const data::Model> load_additive(const SafetensorsFile& file,
                                                 const data::ModelCard& card,
                                                 std::shared_ptr<const Loss> loss,
                                                 std::shared_ptr<const Learner> learner);

/// The loss where none is named: squared, logistic or softmax.
std::string_view automatic_loss_name(const Task& task);
std::shared_ptr<const Loss> automatic_loss(const Task& task);

}  // namespace gradatim::boost
