// merge_categories: the same codes for the same words on every rank.
#pragma once

#include <vector>

#include "gradatim/data/table.h"
#include "gradatim/dist/group.h"

namespace gradatim::dist {

/// The columns with the words of all ranks in the order of their first appearance, those of rank 0
/// first. Every rank gives as many columns, of which the same are categorical.
std::vector<data::Column> merge_categories(Group& group, std::vector<data::Column> columns);

}  // namespace gradatim::dist
