// The part that every kind of guidance has.
#pragma once

#include "gradatim/api/export.h"
#include "gradatim/process/guidance.h"

namespace gradatim::process {

inline constexpr api::Part kInnerGuidance[] = {
    {"inner", "process.guidance", "process.guidance.plain",
     "Guidance that is applied before this one, nearer to the field."},
};

}  // namespace gradatim::process
