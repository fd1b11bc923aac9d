// Launch: what a launcher of processes (torchrun, Slurm, Kubernetes, `gradatim train --processes`)
// says in the environment of each.
//
// torchrun's contract: RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT.
// Of Slurm's srun, where MASTER_ADDR is set and RANK is not: SLURM_PROCID, SLURM_STEP_NUM_TASKS
// (the script of a job, which is no rank, has none), SLURM_LOCALID, SLURM_NTASKS_PER_NODE.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace gradatim::dist {

struct Launch {
  int rank = 0, size = 1;
  int local_rank = 0, local_size = 1;  // among the ranks of this machine
  std::string address;                 // where the ranks meet
  int port = 29500;
  bool hosted = false;  // the launcher listens there; else rank 0 does
  int listening = -1;   // rank 0's: an open socket that listens there, handed down by the launcher
  std::string run;      // one start of a job; its restarts have other names
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
};

/// Nothing where the environment tells of no other process. DistributedError GRD-5001 where it
/// contradicts itself.
std::optional<Launch> launched();

}  // namespace gradatim::dist
