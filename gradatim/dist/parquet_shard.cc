#include "gradatim/dist/parquet_shard.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include "gradatim/data/concat.h"
#include "gradatim/data/convert.h"
#include "gradatim/data/io_library.h"
#include "gradatim/data/slice.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/dist/in_order.h"
#include "gradatim/dist/merge_categories.h"

namespace gradatim::dist {
namespace {

struct Rows {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// Where the row groups of a file lie in the rows of all files; the last entry is the file's end.
using Bounds = std::vector<std::int64_t>;

std::vector<Bounds> bounds_of(Group& group, std::span<const std::string> paths) {
  std::vector<Bounds> files;
  std::string all;
  in_order(group, [&](std::int64_t& place) {
    std::int64_t row = 0;
    for (const auto& path : paths) {
      Bounds bounds{row};
      for (const auto rows : data::parquet_row_groups(path)) bounds.push_back(row += rows);
      for (const auto bound : bounds) all += std::to_string(bound) + " ";
      files.push_back(std::move(bounds));
      ++place;
    }
  });
  require_equal(group, "count of rows in " + paths.front(), all);
  return files;
}

// Rows begin where they are as many for every rank, or at the end of a row group near by.
std::int64_t cut(const std::vector<Bounds>& files, std::int64_t rank, std::int64_t ranks) {
  constexpr std::int64_t kNear = 16;  // of a rank's rows, one part
  const std::int64_t total = files.back().back();
  const std::int64_t even = total / ranks * rank + total % ranks * rank / ranks;
  std::int64_t nearest = rank == ranks ? total : 0;
  for (const auto& bounds : files) {
    for (const auto bound : bounds) {
      if (std::abs(bound - even) < std::abs(nearest - even)) nearest = bound;
    }
  }
  return std::abs(nearest - even) * kNear <= total / ranks ? nearest : even;
}

// The rows of a file that lie in `own`; without any, still the columns.
data::Table read_own(const std::string& path, const Bounds& bounds, Rows own) {
  const std::int64_t begin = std::max(own.begin, bounds.front());
  const std::int64_t end = std::min(own.end, bounds.back());
  if (begin >= end) return data::read_parquet_groups(path, 0, 0);
  const auto first = std::upper_bound(bounds.begin(), bounds.end(), begin) - 1;
  const auto last = std::lower_bound(bounds.begin(), bounds.end(), end);
  data::Table table = data::read_parquet_groups(path, static_cast<int>(first - bounds.begin()),
                                                static_cast<int>(last - first));
  if (begin == *first && end == *last) return table;
  return data::slice(table, begin - *first, end - begin);
}

// Column after column, so that of two errors all ranks meet the same one first.
data::Table with_types(data::Table table, const data::Schema& schema, std::int64_t first_row,
                       std::int64_t& place) {
  for (const auto& column : schema.columns) {
    table = data::apply_schema(table, {{column}}, first_row);
    ++place;
  }
  return table;
}

}  // namespace

data::Table read_parquet_shard(Group& group, std::span<const std::string> paths,
                               const data::ReadOptions& options) {
  const auto files = bounds_of(group, paths);
  const Rows own{cut(files, group.rank(), group.size()),
                 cut(files, group.rank() + 1, group.size())};
  data::Table mine;
  in_order(group, [&](std::int64_t& place) {
    std::vector<data::Table> tables;
    for (std::size_t i = 0; i < files.size(); ++i) {
      tables.push_back(read_own(paths[i], files[i], own));
      ++place;
    }
    mine = data::concat(std::move(tables), paths.front());
    ++place;
    if (options.schema != nullptr) {
      mine = with_types(std::move(mine), *options.schema, own.begin, place);
    }
  });
  auto columns = merge_categories(group, {mine.columns().begin(), mine.columns().end()});
  return data::Table(std::move(columns), paths.front());
}

}  // namespace gradatim::dist
