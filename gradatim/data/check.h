// Checks of cells that training must not meet.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gradatim/data/table.h"

namespace gradatim::data {

/// GRD-2011 with the row and the column of the first infinite cell; missing cells are fine.
void check_finite(const Column& column, const std::string& source);
/// The same for columns of equal length, block by block: those of a row-major matrix share cache
/// lines. The first column that has an infinite cell is named.
void check_finite(std::span<const Column> columns, const std::string& source);
/// DataError of that code where a column of `what`, such as weights, has words or times.
void check_numeric(const Column& column, const std::string& source, std::string_view what,
                   int code);
/// GRD-2019 with the row of the first missing cell, for targets and weights.
void check_no_missing(const Column& column, const std::string& source);

}  // namespace gradatim::data
