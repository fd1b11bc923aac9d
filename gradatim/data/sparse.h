// Sparse columns: the rows that have an entry, and their cells. What the other rows hold is zero,
// or missing where `sparse_absent` says so (Column::absent; a model's schema remembers it).
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gradatim/data/table.h"

namespace gradatim::data {

/// A compressed matrix in memory as SciPy lays it out: line i (a row of CSR, a column of CSC) has
/// the entries [offsets[i], offsets[i + 1]), each a place in its line and a cell.
struct SparseMatrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  bool by_rows = true;  // CSR, else CSC
  ColumnType type = ColumnType::numeric;
  Storage storage = Storage::f64;
  const void* cells = nullptr;
  std::int64_t entries = 0;  // of `cells` and `places`
  bool wide = false;         // offsets and places are int64, else int32
  const void* offsets = nullptr;
  const void* places = nullptr;
  std::shared_ptr<const void> owner;
};

/// Its columns under these names. CSC with int32 places in ascending order is used where it lies;
/// else entries are sorted, copied, and those of one cell added up. DataError GRD-2037 where an
/// offset or a place lies outside the matrix.
Table sparse_table(const SparseMatrix& matrix, std::span<const std::string> names,
                   Absent absent = Absent::zero);

/// A column without a single entry.
Column empty_column(std::string name, std::int64_t rows, Absent absent = Absent::zero);

/// The cells at these rows, still sparse.
Column take_entries(const Column& column, std::span<const std::int64_t> rows);

/// The column with a cell a row; itself where it is not sparse.
Column dense(const Column& column);

/// Calls f(row, cell) for every entry in order of rows; missing is NaN.
template <class F>
void for_entries(const Column& column, F f) {
  constexpr std::int64_t kBlock = 1024;
  double cells[kBlock];
  std::int64_t first = 0;
  for (const Chunk& chunk : column.chunks()) {
    Chunk entries = chunk;
    entries.rows = chunk.entries;
    entries.sparse = false;
    const Column values(column.name(), column.type(), column.storage(), {entries}, column.owner());
    for (std::int64_t begin = 0; begin < chunk.entries; begin += kBlock) {
      const std::int64_t count = std::min(kBlock, chunk.entries - begin);
      values.read(begin, std::span(cells, static_cast<std::size_t>(count)));
      for (std::int64_t i = 0; i < count; ++i) {
        f(first + chunk.entry_rows[begin + i], cells[i]);
      }
    }
    first += chunk.rows;
  }
}

}  // namespace gradatim::data
