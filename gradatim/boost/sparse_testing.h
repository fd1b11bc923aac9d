// Random sparse tables for unit tests, each beside the same table written out.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "gradatim/boost/testing.h"
#include "gradatim/data/sparse.h"

namespace gradatim::boost::testing {

struct SparseShape {
  std::int64_t rows = 200;
  std::int64_t columns = 3;
  double density = 0.1;
  data::Absent absent = data::Absent::zero;
};

struct SparsePair {
  data::Table sparse;
  data::Table dense;
};

/// Cells around zero, among them stored zeros and missing ones.
inline SparsePair random_sparse(const SparseShape& shape, Random& r) {
  struct Arrays {
    std::vector<double> cells;
    std::vector<std::int32_t> rows;
    std::vector<std::int32_t> offsets{0};
  };
  auto arrays = std::make_shared<Arrays>();
  std::vector<data::Column> columns;
  std::vector<std::string> names;
  for (std::int64_t c = 0; c < shape.columns; ++c) {
    std::vector<double> cells(shape.rows, shape.absent == data::Absent::zero ? 0.0 : kNaN);
    for (std::int64_t row = 0; row < shape.rows; ++row) {
      if (r.uniform() >= shape.density) continue;
      const double kind = r.uniform();
      cells[row] = kind < 0.05 ? 0.0 : kind < 0.1 ? kNaN : r.normal();
      arrays->rows.push_back(static_cast<std::int32_t>(row));
      arrays->cells.push_back(cells[row]);
    }
    arrays->offsets.push_back(static_cast<std::int32_t>(arrays->rows.size()));
    names.push_back(fmt::format("x{}", c));
    columns.push_back(data::numeric_column(names.back(), std::move(cells)));
  }
  const data::SparseMatrix matrix{.rows = shape.rows,
                                  .columns = shape.columns,
                                  .by_rows = false,
                                  .cells = arrays->cells.data(),
                                  .entries = static_cast<std::int64_t>(arrays->cells.size()),
                                  .offsets = arrays->offsets.data(),
                                  .places = arrays->rows.data(),
                                  .owner = arrays};
  return {data::sparse_table(matrix, names, shape.absent), data::Table(std::move(columns))};
}

}  // namespace gradatim::boost::testing
