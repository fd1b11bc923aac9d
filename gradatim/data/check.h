// Checks of cells that training must not meet.
#pragma once

#include <string>

#include "gradatim/data/table.h"

namespace gradatim::data {

/// GRD-2011 with the row and the column of the first infinite cell; missing cells are fine.
void check_finite(const Column& column, const std::string& source);
/// GRD-2019 with the row of the first missing cell, for targets and weights.
void check_no_missing(const Column& column, const std::string& source);

}  // namespace gradatim::data
