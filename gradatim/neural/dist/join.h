// A group of the processes that a launcher started, by c10d of torch: its TCPStore to meet at, Gloo
// for the numbers.
//
//   if (const auto launch = dist::launched()) request.group = neural::join(*launch);
//
// The group lives as long as the work: when its last owner lets go while another rank is in an
// operation, that rank's operation ends in an error.
#pragma once

#include <memory>

#include "gradatim/dist/group.h"
#include "gradatim/dist/launch.h"

namespace gradatim::neural {

/// Returns when all ranks are there. DistributedError GRD-5001 two processes are the same rank,
/// GRD-5002 the ranks cannot meet (the port is taken, the address unreachable, a rank does not come
/// in time), GRD-5004 ranks of another version or number of ranks, GRD-5005 built without Gloo;
/// UsageError GRD-1160 no torch.
std::shared_ptr<dist::Group> join(const dist::Launch& launch);

/// gradatim_join of libgradatim_neural.
using JoinGroup = std::shared_ptr<dist::Group>(const dist::Launch& launch);

}  // namespace gradatim::neural
