#include "gradatim/dist/launch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::dist {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(trim(value));
}

// The number in [low, high] that it must hold.
int number_in(const char* name, long long low, long long high) {
  const std::string value = variable(name);
  const auto number = parse_integer(value);
  GRADATIM_CHECK(number && *number >= low && *number <= high, DistributedError, 5001,
                 "the environment variable {} must be an integer from {} to {}; got '{}'", name,
                 low, high, value);
  return static_cast<int>(*number);
}

int number_or(const char* name, int fallback, long long low, long long high) {
  return variable(name).empty() ? fallback : number_in(name, low, high);
}

// What one launcher calls them.
struct Names {
  const char *rank, *size, *local_rank, *local_size;
};
constexpr Names kTorchrun = {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"};
constexpr Names kSlurm = {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID",
                          "SLURM_NTASKS_PER_NODE"};

std::chrono::milliseconds timeout_of() {
  constexpr const char* kName = "GRADATIM_TIMEOUT";
  const std::string value = variable(kName);
  if (value.empty()) return Launch().timeout;
  const auto seconds = parse_number(value);
  GRADATIM_CHECK(seconds && *seconds >= 0.5 && *seconds <= 1e6, DistributedError, 5001,
                 "the environment variable {} must be seconds from 0.5 to 1000000; got '{}'", kName,
                 value);
  return std::chrono::milliseconds(std::llround(*seconds * 1000.0));
}

}  // namespace

std::optional<Launch> launched() {
  constexpr long long kMost = std::numeric_limits<int>::max();
  const bool slurm = variable("RANK").empty() && variable("WORLD_SIZE").empty() &&
                     !variable("MASTER_ADDR").empty();
  const Names& names = slurm ? kSlurm : kTorchrun;
  if (variable(names.size).empty()) return std::nullopt;
  Launch launch;
  launch.size = number_in(names.size, 1, kMost);
  if (launch.size == 1) return std::nullopt;
  launch.rank = number_in(names.rank, 0, launch.size - 1);
  launch.local_size = std::min(launch.size, number_or(names.local_size, 1, 1, kMost));
  launch.local_rank = number_or(names.local_rank, 0, 0, launch.size - 1);
  launch.address = variable("MASTER_ADDR");
  GRADATIM_CHECK(!launch.address.empty(), DistributedError, 5001,
                 "{} is {}, but MASTER_ADDR, where the ranks meet, is not set", names.size,
                 launch.size);
  launch.port = number_or("MASTER_PORT", launch.port, 1, 65535);
  launch.hosted = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
  launch.listening = launch.rank == 0 ? number_or("GRADATIM_LISTENING", -1, 0, kMost) : -1;
  launch.run = variable("TORCHELASTIC_RUN_ID") + "." + variable("TORCHELASTIC_RESTART_COUNT");
  launch.timeout = timeout_of();
  return launch;
}

}  // namespace gradatim::dist
