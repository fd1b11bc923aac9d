#include "gradatim/neural/dist/join.h"

#include <fmt/format.h>

#include <atomic>

#include "gradatim/core/error.h"
#include "gradatim/neural/library.h"

namespace gradatim::neural {

std::shared_ptr<dist::Group> join(const dist::Launch& launch) {
  static std::atomic<int> joined = 0;  // groups of this process: each meets under a name of its own
  const int before = joined++;
  GRADATIM_CHECK(before == 0 || launch.hosted, UsageError, 1184,
                 "this process was in a group already, whose meeting place rank 0 kept; join once, "
                 "or start the ranks by torchrun, which keeps it");
  dist::Launch own = launch;
  if (before > 0) own.run += fmt::format("/{}", before);
  return neural_function<JoinGroup>("gradatim_join")(own);
}

}  // namespace gradatim::neural
