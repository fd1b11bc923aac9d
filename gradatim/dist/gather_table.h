// gather: the rows of all ranks on every rank.
#pragma once

#include "gradatim/data/table.h"
#include "gradatim/dist/group.h"

namespace gradatim::dist {

/// The rows of every rank one behind the other, in the order of ranks; any may have none. As
/// data::concat puts tables together: columns by name in rank 0's order (GRD-2004), numbers of
/// different types as doubles, categories united in order of appearance (GRD-2010 where words meet
/// numbers). The same on every rank, under the source of this rank's table; what it throws, all
/// throw. Every rank holds all rows then, so this is for what must be whole, and not for training.
data::Table gather(Group& group, const data::Table& mine);

}  // namespace gradatim::dist
