// libgradatim_io: Parquet and Arrow files, in a shared object of its own that is opened when such a
// file is met, so that nothing else ever links Arrow.
#pragma once

#include <string>

#include "gradatim/data/table.h"

namespace gradatim::data {

/// GRD-2014 where the library is absent, GRD-2016 where the file is damaged.
Table read_by_io_library(const std::string& path);
/// The bytes of a whole file of the format of `path`'s ending.
std::string encode_by_io_library(const Table& table, const std::string& path);

}  // namespace gradatim::data
