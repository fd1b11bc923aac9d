// Words for error messages about cells.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gradatim/data/cell.h"

namespace gradatim::data {

/// At most 40 bytes of a cell, cut between characters, control characters as dots.
std::string shown(std::string_view text);
/// "1 field", "3 fields".
std::string counted(std::size_t count, std::string_view noun);
/// "a number", "a date like 2013-01-31", ...
std::string_view article_name(CellType type);

}  // namespace gradatim::data
