// The ranks check in at the store: all are there, alike, and know each other's addresses.
#pragma once

#include <string>

#include "gradatim/neural/dist/store.h"

namespace gradatim::neural {

/// Returns when all ranks are there. DistributedError GRD-5001 two processes are the same rank,
/// GRD-5002 one does not come in time, GRD-5004 one is unlike rank 0; every rank says which.
void check_in(const dist::Launch& launch, const Store& store);

/// The address that the others reach this machine by. A machine often knows its own name as
/// 127.0.1.1; the others know better.
std::string address_for_others(const dist::Launch& launch, const Store& store);

}  // namespace gradatim::neural
