#include "gradatim/data/sparse.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <type_traits>
#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/data/column_cells.h"

namespace gradatim::data {
namespace {

// Entries of a matrix column by column, owned.
struct Entries {
  std::vector<std::int64_t> first;  // [columns + 1]
  std::vector<std::uint32_t> rows;
  std::vector<char> cells;
};

[[noreturn]] void refuse(const std::string& what) {
  throw DataError(2037, fmt::format("the sparse matrix is damaged: {}; build it anew", what));
}

template <class Index>
void check_structure(const SparseMatrix& matrix) {
  const auto* offsets = static_cast<const Index*>(matrix.offsets);
  const auto* places = static_cast<const Index*>(matrix.places);
  const std::int64_t lines = matrix.by_rows ? matrix.rows : matrix.columns;
  const std::int64_t width = matrix.by_rows ? matrix.columns : matrix.rows;
  if (offsets[0] != 0) refuse("its first offset is not 0");
  for (std::int64_t i = 0; i < lines; ++i) {
    if (offsets[i + 1] < offsets[i])
      refuse(fmt::format("offset {} is below the one before", i + 1));
  }
  if (offsets[lines] > matrix.entries) {
    refuse(fmt::format("its offsets tell of {} entries, but it has {}", offsets[lines],
                       matrix.entries));
  }
  for (std::int64_t e = 0; e < offsets[lines]; ++e) {
    if (places[e] >= 0 && places[e] < width) continue;
    refuse(fmt::format("an index is {}, outside 0 to {}", places[e], width - 1));
  }
}

template <class Index>
bool ascending(const SparseMatrix& matrix) {
  const auto* offsets = static_cast<const Index*>(matrix.offsets);
  const auto* places = static_cast<const Index*>(matrix.places);
  for (std::int64_t column = 0; column < matrix.columns; ++column) {
    for (Index e = offsets[column] + 1; e < offsets[column + 1]; ++e) {
      if (places[e] <= places[e - 1]) return false;
    }
  }
  return true;
}

// Counted into columns; entries of a column stay in the order in which they lay.
template <class Index, class Cell>
Entries by_columns(const SparseMatrix& matrix) {
  const auto* offsets = static_cast<const Index*>(matrix.offsets);
  const auto* places = static_cast<const Index*>(matrix.places);
  const auto* cells = static_cast<const char*>(matrix.cells);
  const std::int64_t lines = matrix.by_rows ? matrix.rows : matrix.columns;
  Entries made;
  made.first.assign(matrix.columns + 1, 0);
  for (std::int64_t line = 0; line < lines; ++line) {
    for (Index e = offsets[line]; e < offsets[line + 1]; ++e) {
      ++made.first[(matrix.by_rows ? std::int64_t{places[e]} : line) + 1];
    }
  }
  std::partial_sum(made.first.begin(), made.first.end(), made.first.begin());
  made.rows.resize(made.first.back());
  made.cells.resize(made.first.back() * sizeof(Cell));
  std::vector<std::int64_t> next(made.first.begin(), made.first.end() - 1);
  for (std::int64_t line = 0; line < lines; ++line) {
    for (Index e = offsets[line]; e < offsets[line + 1]; ++e) {
      const std::int64_t at = next[matrix.by_rows ? std::int64_t{places[e]} : line]++;
      made.rows[at] = static_cast<std::uint32_t>(matrix.by_rows ? line : std::int64_t{places[e]});
      std::memcpy(made.cells.data() + at * sizeof(Cell), cells + e * sizeof(Cell), sizeof(Cell));
    }
  }
  return made;
}

template <class Cell>
Cell sum_of(Cell a, Cell b, ColumnType type) {
  if constexpr (std::is_integral_v<Cell>) {
    if (type == ColumnType::boolean) return a | b;
  }
  return static_cast<Cell>(a + b);
}

// Entries in order of rows, those of one row added up in the order in which they lay.
template <class Cell>
void sort_and_add(Entries& made, ColumnType type) {
  std::vector<std::pair<std::uint32_t, Cell>> column;
  std::int64_t kept = 0;
  for (std::size_t c = 0; c + 1 < made.first.size(); ++c) {
    column.clear();
    for (std::int64_t e = made.first[c]; e < made.first[c + 1]; ++e) {
      Cell cell;
      std::memcpy(&cell, made.cells.data() + e * sizeof(Cell), sizeof(Cell));
      column.emplace_back(made.rows[e], cell);
    }
    std::stable_sort(column.begin(), column.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    made.first[c] = kept;
    for (std::size_t i = 0; i < column.size();) {
      Cell cell = column[i].second;
      const std::uint32_t row = column[i].first;
      while (++i < column.size() && column[i].first == row) {
        cell = sum_of(cell, column[i].second, type);
      }
      made.rows[kept] = row;
      std::memcpy(made.cells.data() + kept * sizeof(Cell), &cell, sizeof(Cell));
      ++kept;
    }
  }
  made.first.back() = kept;
}

bool strictly_ascending(const Entries& made) {
  for (std::size_t c = 0; c + 1 < made.first.size(); ++c) {
    for (std::int64_t e = made.first[c] + 1; e < made.first[c + 1]; ++e) {
      if (made.rows[e] <= made.rows[e - 1]) return false;
    }
  }
  return true;
}

template <class Index>
Table table_of(const SparseMatrix& matrix, std::span<const std::string> names, Absent absent) {
  check_structure<Index>(matrix);
  std::int64_t width = 0;
  std::vector<std::int64_t> first;
  const std::uint32_t* rows = nullptr;
  const char* cells = nullptr;
  std::shared_ptr<const void> owner = matrix.owner;
  internal::with_cell_type(matrix.storage, [&](auto type) {
    using Cell = decltype(type);
    width = sizeof(Cell);
    if (!matrix.by_rows && !matrix.wide && ascending<Index>(matrix)) {
      const auto* offsets = static_cast<const Index*>(matrix.offsets);
      first.assign(offsets, offsets + matrix.columns + 1);
      rows = static_cast<const std::uint32_t*>(matrix.places);
      cells = static_cast<const char*>(matrix.cells);
      return;
    }
    auto made = std::make_shared<Entries>(by_columns<Index, Cell>(matrix));
    if (!strictly_ascending(*made)) sort_and_add<Cell>(*made, matrix.type);
    first = made->first;
    rows = made->rows.data();
    cells = made->cells.data();
    owner = std::move(made);
  });
  std::vector<Column> columns;
  columns.reserve(names.size());
  for (std::size_t c = 0; c < names.size(); ++c) {
    const Chunk chunk{.rows = matrix.rows,
                      .data = cells + first[c] * width,
                      .stride = width,
                      .sparse = true,
                      .entry_rows = rows + first[c],
                      .entries = first[c + 1] - first[c]};
    columns.push_back(
        Column(names[c], matrix.type, matrix.storage, {chunk}, owner).with_absent(absent));
  }
  return Table(std::move(columns));
}

struct Taken {
  std::vector<std::uint32_t> rows;
  std::vector<char> cells;
};

}  // namespace

bool Column::sparse() const {
  return !chunks_.empty() &&
         std::all_of(chunks_.begin(), chunks_.end(), [](const Chunk& c) { return c.sparse; });
}

Table sparse_table(const SparseMatrix& matrix, std::span<const std::string> names, Absent absent) {
  GRADATIM_ASSERT(static_cast<std::int64_t>(names.size()) == matrix.columns);
  return matrix.wide ? table_of<std::int64_t>(matrix, names, absent)
                     : table_of<std::int32_t>(matrix, names, absent);
}

Column empty_column(std::string name, std::int64_t rows, Absent absent) {
  const Chunk chunk{.rows = rows, .stride = sizeof(double), .sparse = true};
  return Column(std::move(name), ColumnType::numeric, Storage::f64, {chunk}, nullptr)
      .with_absent(absent);
}

Column take_entries(const Column& column, std::span<const std::int64_t> rows) {
  auto taken = std::make_shared<Taken>();
  std::int64_t width = 0;
  internal::with_cell_type(column.storage(), [&](auto type) { width = sizeof(type); });
  auto keep = [&](std::size_t at, const Chunk& chunk, std::int64_t entry) {
    taken->rows.push_back(static_cast<std::uint32_t>(at));
    const char* cell = static_cast<const char*>(chunk.data) + entry * chunk.stride;
    taken->cells.insert(taken->cells.end(), cell, cell + width);
  };
  const bool sorted =
      std::adjacent_find(rows.begin(), rows.end(), std::greater_equal<>()) == rows.end();
  if (sorted) {
    // Rows that ascend: each entry looks for its row, from where the last one was found.
    auto from = rows.begin();
    std::int64_t first = 0;
    for (const Chunk& chunk : column.chunks()) {
      for (std::int64_t e = 0; e < chunk.entries; ++e) {
        const std::int64_t row = first + chunk.entry_rows[e];
        from = std::lower_bound(from, rows.end(), row);
        if (from == rows.end()) break;
        if (*from == row) keep(static_cast<std::size_t>(from - rows.begin()), chunk, e);
      }
      first += chunk.rows;
    }
  } else {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::int64_t place = rows[i];
      auto chunk = column.chunks().begin();
      while (place >= chunk->rows) place -= (chunk++)->rows;
      const auto* end = chunk->entry_rows + chunk->entries;
      const auto* entry =
          std::lower_bound(chunk->entry_rows, end, static_cast<std::uint32_t>(place));
      if (entry != end && *entry == place) keep(i, *chunk, entry - chunk->entry_rows);
    }
  }
  const Chunk chunk{.rows = static_cast<std::int64_t>(rows.size()),
                    .data = taken->cells.data(),
                    .stride = width,
                    .sparse = true,
                    .entry_rows = taken->rows.data(),
                    .entries = static_cast<std::int64_t>(taken->rows.size())};
  return Column(column.name(), column.type(), column.storage(), {chunk}, taken)
      .with_absent(column.absent());
}

Column dense(const Column& column) {
  if (!column.sparse()) return column;
  const auto rows = static_cast<std::size_t>(column.rows());
  if (column.type() == ColumnType::integer) {
    std::vector<std::int64_t> cells(rows);
    column.read_integers(0, cells);
    return integer_column(column.name(), std::move(cells));
  }
  std::vector<double> cells(rows);
  column.read(0, cells);
  if (column.type() == ColumnType::numeric) return numeric_column(column.name(), std::move(cells));
  std::vector<std::uint8_t> bytes(rows);
  std::transform(cells.begin(), cells.end(), bytes.begin(),
                 [](double x) -> std::uint8_t { return x == x ? x != 0 : 0xFF; });
  return boolean_column(column.name(), std::move(bytes));
}

}  // namespace gradatim::data
