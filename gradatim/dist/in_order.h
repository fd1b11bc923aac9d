// Errors of work that ranks share, in the order in which one process would have met them.
#pragma once

#include <cstdint>
#include <functional>

#include "gradatim/dist/group.h"

namespace gradatim::dist {

/// together() that of several ranks' errors takes the one that one process would have met first.
/// `work` keeps in `place` how far it is: the error at the least place wins, then that of the least
/// rank. It is thrown on its rank, and where the same line was met; on the others it is
/// DistributedError GRD-5003 with its words.
void in_order(Group& group, const std::function<void(std::int64_t& place)>& work);

}  // namespace gradatim::dist
