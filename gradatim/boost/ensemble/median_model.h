// The weighted median of the members' values: what AdaBoost.R2 fits.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "gradatim/boost/ensemble/ensemble_model.h"
#include "gradatim/boost/ensemble/training_data.h"
#include "gradatim/boost/metric/metric.h"

namespace gradatim::boost {

/// Values and their weights.
using Votes = std::vector<std::pair<double, double>>;

/// The first value at which half of the weight is reached: always some member's own value. `votes`
/// ascend.
double lower_median(const Votes& votes);

/// The state of a row is the values of all members.
class MedianModel final : public EnsembleModel {
 public:
  MedianModel(data::ModelCard card, EnsembleParts parts, std::vector<double> weight, double base)
      : EnsembleModel(std::move(card), std::move(parts)), weight_(std::move(weight)), base_(base) {}

  int state_columns() const override { return static_cast<int>(weight_.size()); }
  int prediction_columns(data::PredictKind /*kind*/) const override { return 1; }
  void start(std::int64_t rows, double* state) const override;
  void accumulate(const RowBlock& rows, std::int64_t round, double* state) const override;
  void accumulate_trees(const TreeRows& rows, std::int64_t first, std::int64_t last,
                        double* state) const override;
  void accumulate_row(const Forest& trees, const double* features, std::int64_t first,
                      std::int64_t last, double* state) const override;
  void finish(const double* state, std::int64_t rows, std::int64_t rounds, data::PredictKind kind,
              double* out) const override;
  void store_more(SafetensorsWriter& file) const override;

 private:
  std::vector<double> weight_;
  double base_;
};

/// The medians of a set of rows while the ensemble grows; every row keeps its votes in order.
class MedianRows {
 public:
  explicit MedianRows(const LabelledRows& rows)
      : rows_(rows), votes_(rows.rows()), medians_(rows.rows()) {}

  /// `values` [rows]: what a member says of each row.
  void add(std::span<const double> values, double weight);
  /// Labels and medians of all ranks' rows; valid until the next call.
  MetricInput metric_input();

 private:
  const LabelledRows& rows_;
  std::vector<Votes> votes_;
  std::vector<double> medians_;
  std::vector<double> all_medians_;  // of all ranks' rows
};

}  // namespace gradatim::boost
