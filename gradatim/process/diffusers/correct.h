// The correct mode: a configuration as a path, a prediction, a grid and a solver of this library.
#pragma once

#include <string>
#include <vector>

#include "gradatim/process/diffusers/call.h"
#include "gradatim/process/diffusers/config.h"

namespace gradatim::process::diffusers {

/// The calls, and what differs from diffusers, a sentence each.
Plan lay_correct(const Config& config, const Request& request,
                 std::vector<std::string>& differences);

}  // namespace gradatim::process::diffusers
