// In place of c10d_group.cc where Gloo's headers were not there at the build.
#include "gradatim/core/error.h"
#include "gradatim/neural/dist/join.h"

extern "C" {
gradatim::neural::JoinGroup gradatim_join;

std::shared_ptr<gradatim::dist::Group> gradatim_join(const gradatim::dist::Launch&) {
  throw gradatim::DistributedError(
      5005,
      "this gradatim was built without groups of processes; install libgloo-dev, which has "
      "Gloo's headers, and run make neural");
}
}
