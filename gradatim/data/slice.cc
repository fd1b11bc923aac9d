#include "gradatim/data/slice.h"

#include <numeric>
#include <utility>
#include <vector>

#include "gradatim/data/column_cells.h"

namespace gradatim::data {
namespace {

Column slice(const Column& column, std::int64_t begin, std::int64_t count) {
  if (column.sparse()) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
    std::iota(rows.begin(), rows.end(), begin);
    return column.take(rows);
  }
  std::vector<Chunk> chunks;
  internal::for_chunks(
      column.chunks(), begin, count,
      [&](const Chunk& chunk, std::int64_t first, std::int64_t, std::int64_t here) {
        Chunk part = chunk;
        part.rows = here;
        part.data = static_cast<const char*>(chunk.data) + first * chunk.stride;
        part.bit_offset += first;
        part.validity_offset += first;
        chunks.push_back(part);
      });
  return Column(column.name(), column.type(), column.storage(), std::move(chunks), column.owner(),
                column.shared_categories())
      .with_time_unit(column.time_unit())
      .with_absent(column.absent());
}

}  // namespace

Table slice(const Table& table, std::int64_t begin, std::int64_t count) {
  std::vector<Column> columns;
  for (const auto& column : table.columns()) columns.push_back(slice(column, begin, count));
  return Table(std::move(columns), table.source());
}

}  // namespace gradatim::data
