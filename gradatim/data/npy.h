// NPY: one NumPy array of numbers or booleans as a table, one column x0, x1, ... a column of it.
#pragma once

#include <string>

#include "gradatim/data/table.h"

namespace gradatim::data {

/// [rows] or [rows, columns], C or Fortran order, little endian. The cells stay in the mapped file.
/// GRD-2016 for anything else.
Table read_npy(const std::string& path);

}  // namespace gradatim::data
