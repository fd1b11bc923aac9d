// concat: the rows of several tables, one after the other.
#pragma once

#include <string>
#include <vector>

#include "gradatim/data/table.h"

namespace gradatim::data {

/// Tables with the same columns (matched by name, in the order of the first; GRD-2004 otherwise).
/// Cells stay where they lie if the types are equal; numbers of different types become doubles, and
/// categories are united in order of appearance. GRD-2010 where words meet numbers.
Table concat(std::vector<Table> tables, std::string source);

}  // namespace gradatim::data
