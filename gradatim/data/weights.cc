#include "gradatim/data/weights.h"

#include <fmt/format.h>

#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/check.h"

namespace gradatim::data {

std::vector<float> read_weights(const Table& table, const std::string& name) {
  if (name.empty()) return {};
  const Column& column = table.column(name);
  check_numeric(column, table.source(), "weights", 2023);
  std::vector<double> cells(table.rows());
  column.read(0, cells);
  std::vector<float> weight(cells.size());
  for (std::size_t row = 0; row < cells.size(); ++row) {
    GRADATIM_CHECK(cells[row] >= 0.0 && std::isfinite(static_cast<float>(cells[row])), DataError,
                   2023,
                   "{}column '{}', row {}: the weight is {}; weights are finite numbers of at "
                   "least 0",
                   table.source().empty() ? "" : table.source() + ": ", name, row + 1,
                   number_text(cells[row]));
    weight[row] = static_cast<float>(cells[row]);
  }
  return weight;
}

std::vector<std::int64_t> weighing_rows(const Table& table, const std::string& name) {
  const auto weight = read_weights(table, name);
  std::vector<std::int64_t> kept;
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    if (weight.empty() || weight[row] > 0.0F) kept.push_back(row);
  }
  GRADATIM_CHECK(weight.empty() || !kept.empty(), DataError, 2023,
                 "column '{}': every weight is zero, so no row is left", name);
  return kept;
}

Table drop_weightless(const Table& table, const std::string& name) {
  if (name.empty()) return table;
  const auto kept = weighing_rows(table, name);
  return static_cast<std::int64_t>(kept.size()) == table.rows() ? table : table.take(kept);
}

}  // namespace gradatim::data
