// F(x) = sum of members, and what an algorithm makes of it: what a ScoreAlgorithm fits.
#pragma once

#include "gradatim/boost/algorithm/score_algorithm.h"
#include "gradatim/boost/ensemble/additive_model.h"

namespace gradatim::boost {

class ScoreModel final : public SumModel {
 public:
  ScoreModel(data::ModelCard card, EnsembleParts parts,
             std::shared_ptr<const ScoreAlgorithm> algorithm);

  int prediction_columns(data::PredictKind kind) const override;
  void finish(const double* state, std::int64_t rows, std::int64_t rounds, data::PredictKind kind,
              double* out) const override;
  bool adjusts_margins() const override;
  void adjust_margins(double* values) const override;
  void store_more(SafetensorsWriter& /*file*/) const override {}

 private:
  int classes() const { return parts().task.class_count(); }

  std::shared_ptr<const ScoreAlgorithm> algorithm_;
};

}  // namespace gradatim::boost
