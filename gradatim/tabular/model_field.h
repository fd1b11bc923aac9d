// ModelField: a boosted ensemble as the field of a diffusion or a flow.
//
// Its features are the columns of the state and, last, the time ("t"); its targets are what the
// prediction says, one a column. Trained by `gradatim train` as any regressor of several targets.
// Piecewise constant in the state, so it has no derivative.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gradatim/data/model.h"
#include "gradatim/process/field.h"

namespace gradatim::tabular {

class ModelField final : public process::Field {
 public:
  /// DataError GRD-2060 where the model does not have a target for each feature but the time.
  ModelField(std::shared_ptr<const data::Model> model,
             std::shared_ptr<const process::Prediction> prediction);

  const process::Prediction& prediction() const override { return *prediction_; }
  void eval(process::Space& space, const process::Query& query,
            std::span<const process::ConditionPtr> conditions,
            std::span<process::Vec> out) const override;

  /// Names of the state's columns.
  const std::vector<std::string>& columns() const { return columns_; }

 private:
  std::shared_ptr<const data::Model> model_;
  std::shared_ptr<const process::Prediction> prediction_;
  std::vector<std::string> columns_;
};

}  // namespace gradatim::tabular
