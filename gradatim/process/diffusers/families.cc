#include "gradatim/process/diffusers/families.h"

#include <array>

namespace gradatim::process::diffusers {

std::span<const Family* const> families() {
  static constexpr std::array kAll = {
      &kDdpm,         &kDdim,           &kDdimInverse, &kPndm,  &kLms,
      &kEuler,        &kEulerAncestral, &kHeun,        &kKdpm2, &kKdpm2Ancestral,
      &kDpmMultistep, &kDpmSinglestep,  &kUniPc,       &kDeis,  &kEdmEuler,
      &kEdmMultistep, &kConsistency,    &kLcm,         &kTcd,   &kFlowEuler,
      &kFlowHeun};
  return kAll;
}

}  // namespace gradatim::process::diffusers
