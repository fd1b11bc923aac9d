// libgradatim_io: Parquet and Arrow files, in a shared object of its own that is opened when such a
// file is met, so that nothing else ever links Arrow.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradatim/data/table.h"

namespace gradatim::data {

/// GRD-2014 where the library is absent, GRD-2016 where the file is damaged.
Table read_by_io_library(const std::string& path);
/// The rows of each row group of a Parquet file, and the table of some of them; of none it has the
/// columns of all.
std::vector<std::int64_t> parquet_row_groups(const std::string& path);
Table read_parquet_groups(const std::string& path, int first, int count);
/// The bytes of a whole file of the format of `path`'s ending.
std::string encode_by_io_library(const Table& table, const std::string& path);
/// The same of a Parquet file with row groups of that many rows.
std::string encode_parquet(const Table& table, std::int64_t rows_a_group);

}  // namespace gradatim::data
