#include "gradatim/tabular/model_field.h"

#include <fmt/format.h>

#include "gradatim/core/error.h"

namespace gradatim::tabular {

using process::Vec;

ModelField::ModelField(std::shared_ptr<const data::Model> model,
                       std::shared_ptr<const process::Prediction> prediction)
    : model_(std::move(model)), prediction_(std::move(prediction)) {
  const data::ModelCard& card = model_->card();
  for (const auto& feature : card.features.columns) {
    GRADATIM_CHECK(feature.type != data::ColumnType::categorical, DataError, 2060,
                   "a field's features are numbers, and '{}' is a category", feature.name);
    columns_.push_back(feature.name);
  }
  GRADATIM_CHECK(columns_.size() >= 2 && columns_.back() == "t", DataError, 2060,
                 "a field's last feature is the time, 't', behind the columns of the state; the "
                 "model's features are {}",
                 fmt::join(columns_, ", "));
  columns_.pop_back();
  const auto targets = card.target_names();
  GRADATIM_CHECK(!card.classification && targets.size() == columns_.size(), DataError, 2060,
                 "a field has one target for each column of the state; the model has {} target(s) "
                 "and {} column(s)",
                 targets.size(), columns_.size());
}

void ModelField::eval(process::Space& space, const process::Query& query,
                      std::span<const process::ConditionPtr>, std::span<Vec> out) const {
  const auto dims = columns_.size();
  const std::size_t rows = query.t.size();
  GRADATIM_CHECK(query.x.dims() == static_cast<std::int64_t>(dims), UsageError, 1105,
                 "the state has {} columns and the model {}", query.x.dims(), dims);
  std::vector<double> state(rows * dims);
  space.copy_out(query.x, state);
  std::vector<data::Column> table;
  for (std::size_t k = 0; k < dims; ++k) {
    std::vector<double> cells(rows);
    for (std::size_t row = 0; row < rows; ++row) cells[row] = state[row * dims + k];
    table.push_back(data::numeric_column(columns_[k], std::move(cells)));
  }
  table.push_back(data::numeric_column("t", {query.t.begin(), query.t.end()}));
  const auto made = model_->predict(data::Table(std::move(table)), {});
  const Vec f = space.from(made.values, query.x.rows(), query.x.dims());
  std::fill(out.begin(), out.end(), f);  // a regressor knows no condition
}

}  // namespace gradatim::tabular
