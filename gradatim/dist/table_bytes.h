// Tables as bytes that ranks send each other: the cells as they lie, one column behind the other.
//
// Both ends are the same program (launching checks it), so that the form has no version and is
// never kept in a file.
#pragma once

#include <string>

#include "gradatim/data/table.h"

namespace gradatim::dist {

/// All that a table is but its source. Packed bits become bytes, strides go, sparse stays sparse.
std::string table_bytes(const data::Table& table);

/// The table again, whose columns lie in `bytes`. `source` names it in messages. DistributedError
/// GRD-5010 where the bytes end too early or are none of a table.
data::Table table_of_bytes(std::string bytes, const std::string& source);

}  // namespace gradatim::dist
