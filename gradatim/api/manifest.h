// The list of everything that this build exports, written by CMake.
#pragma once

#include <span>

#include "gradatim/api/export.h"

namespace gradatim::api {

std::span<const Entry* const> manifest();

}  // namespace gradatim::api
