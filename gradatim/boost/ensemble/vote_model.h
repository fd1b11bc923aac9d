// argmax_k sum_m alpha_m [h_m(x) = k]: what AdaBoost fits.
//
// Probabilities are p_k proportional to exp(2 sum_m alpha_m [h_m = k]): for two classes
// 1/(1 + e^{-2F}) with F = sum alpha h, the minimiser of the exponential loss; for K classes
// SAMME's.
#pragma once

#include "gradatim/boost/ensemble/ensemble_model.h"

namespace gradatim::boost {

class VoteModel final : public EnsembleModel {
 public:
  VoteModel(data::ModelCard card, EnsembleParts parts, std::vector<double> alpha)
      : EnsembleModel(std::move(card), std::move(parts)), alpha_(std::move(alpha)) {}

  int state_columns() const override { return parts().task.class_count(); }
  int prediction_columns(data::PredictKind kind) const override;
  void accumulate(const RowBlock& rows, std::int64_t round, double* state) const override;
  void accumulate_trees(const TreeRows& rows, std::int64_t first, std::int64_t last,
                        double* state) const override;
  void accumulate_row(const Forest& trees, const double* features, std::int64_t first,
                      std::int64_t last, double* state) const override;
  void finish(const double* state, std::int64_t rows, std::int64_t rounds, data::PredictKind kind,
              double* out) const override;
  void start(std::int64_t rows, double* state) const override;
  void store_more(SafetensorsWriter& file) const override;

 private:
  std::vector<double> alpha_;
};

/// Votes [rows, classes] to probabilities, in place.
void votes_to_probabilities(std::span<double> votes, int classes);

}  // namespace gradatim::boost
