// --processes N: the same command N times on this machine, as the ranks of one group. torchrun and
// other launchers do the same for several machines; this needs neither them nor Python.
#pragma once

#include "gradatim/cli/cli.h"

namespace gradatim::cli {

/// What --processes asks for, 0 where it is not given or a launcher has started them already.
int processes_to_start(const Arguments& arguments);

/// Starts them, passes SIGINT and SIGTERM on, and ends all where one ends badly. Returns the exit
/// status: 2 where the first that ended badly had that, 128 + signal where one was passed on,
/// else 1.
int run_processes(const Arguments& arguments, int count);

}  // namespace gradatim::cli
