#include "gradatim/dist/read_shard.h"

#include <fmt/format.h>

#include <filesystem>
#include <numeric>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/data/source.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/dist/csv_shard.h"
#include "gradatim/dist/in_order.h"
#include "gradatim/dist/parquet_shard.h"

namespace gradatim::dist {
namespace {

using Paths = std::span<const std::string>;
using ReadPart = data::Table (*)(Group&, Paths, const data::ReadOptions&);

template <char separator>
data::Table read_text(Group& group, Paths paths, const data::ReadOptions& options) {
  return read_csv_shard(group, paths, options, separator);
}

// Formats of which a rank can read a part.
constexpr std::pair<std::string_view, ReadPart> kParts[] = {
    {"CSV", read_text<'\0'>}, {"TSV", read_text<'\t'>}, {"Parquet", read_parquet_shard}};

data::Table part_of_all(Group& group, const data::Table& all) {
  const std::int64_t first = all.rows() * group.rank() / group.size();
  const std::int64_t last = all.rows() * (group.rank() + 1) / group.size();
  std::vector<std::int64_t> rows(last - first);
  std::iota(rows.begin(), rows.end(), first);
  return all.take(rows);
}

data::Table read_part(Group& group, const data::Source& found, const data::ReadOptions& options) {
  for (const auto& [name, read] : kParts) {
    if (name == found.format->name) return read(group, found.files, options);
  }
  data::Table mine;
  together(group, [&] { mine = part_of_all(group, found.format->read(found.files, options)); });
  return mine;
}

data::Source find(Group& group, const std::string& source) {
  data::Source found;
  in_order(group, [&](std::int64_t& /*place*/) {
    found = data::find_source(source);
    for (const auto& file : found.files) {
      std::error_code ignored;
      GRADATIM_CHECK(std::filesystem::is_regular_file(file, ignored), DistributedError, 5011,
                     "'{}' is no file that {} processes can read; write it to one", source,
                     group.size());
    }
  });
  std::string names;
  for (const auto& file : found.files) names += file + "\n";
  require_equal(group, "list of files of " + source, names);
  return found;
}

}  // namespace

TablePart read_shard(Group& group, const std::string& source, const data::ReadOptions& options) {
  if (group.size() == 1) {
    TablePart whole{.table = data::read_table(source, options)};
    whole.total_rows = whole.table.rows();
    return whole;
  }
  TablePart shard{.table = read_part(group, find(group, source), options)};
  shard.first_row = sum_before(group, shard.table.rows());
  shard.total_rows = sum(group, shard.table.rows());
  GRADATIM_CHECK(shard.total_rows > 0, DataError, 2009, "{} has no rows", source);
  return shard;
}

}  // namespace gradatim::dist
