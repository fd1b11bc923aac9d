// A group whose ranks are threads of this process: for tests, and to see a method at work.
#pragma once

#include <chrono>
#include <functional>

#include "gradatim/dist/group.h"

namespace gradatim::dist {

/// Calls `work` on `ranks` threads with a rank of one group each, and returns when all are done.
/// Sums of floats are in the order of ranks. The first error by rank that is not of another rank's
/// end is thrown; a rank whose work throws has failed for the others.
void run_ranks(int ranks, const std::function<void(Group& group)>& work,
               std::chrono::milliseconds timeout = std::chrono::seconds(60));

}  // namespace gradatim::dist
