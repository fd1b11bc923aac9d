// The scheduler classes of diffusers that are known.
#pragma once

#include <span>

#include "gradatim/process/diffusers/call.h"

namespace gradatim::process::diffusers {

extern const Family kDdpm, kDdim, kDdimInverse, kPndm, kLms, kEuler, kEulerAncestral, kHeun, kKdpm2,
    kKdpm2Ancestral, kDpmMultistep, kDpmSinglestep, kUniPc, kDeis, kEdmEuler, kEdmMultistep,
    kConsistency, kLcm, kTcd, kFlowEuler, kFlowHeun;

std::span<const Family* const> families();

}  // namespace gradatim::process::diffusers
