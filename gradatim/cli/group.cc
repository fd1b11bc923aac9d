#include "gradatim/cli/group.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/neural/dist/join.h"

namespace gradatim::cli {
namespace {

// The command is in one group at most. It is kept here so that what goes wrong anywhere can be told
// to the other ranks while they are still connected.
std::shared_ptr<dist::Group>& joined() {
  static std::shared_ptr<dist::Group> group;
  return group;
}

}  // namespace

std::shared_ptr<dist::Group> join_group(const Arguments& arguments) {
  if (joined() || !arguments.command->joins_group) return joined();
  auto launch = dist::launched();
  if (!launch) return nullptr;
  const std::int64_t asked = arguments.integer("processes", launch->size, 1);
  GRADATIM_CHECK(asked == launch->size, UsageError, 1183,
                 "a launcher started {} processes, and --processes says {}; leave --processes out",
                 launch->size, asked);
  if (arguments.has("timeout")) {
    launch->timeout =
        std::chrono::milliseconds(std::llround(1e3 * arguments.number("timeout", 60.0, 0.5)));
  }
  joined() = neural::join(*launch);
  return joined();
}

void check_one_process(const Command& command) {
  if (command.joins_group) return;
  const auto launch = dist::launched();
  GRADATIM_CHECK(!launch, UsageError, 1182,
                 "{} runs in one process, and a launcher started {}; run it without the launcher",
                 command.name, launch->size);
}

void check_no_group(const dist::Group* group, std::string_view what) {
  GRADATIM_CHECK(group == nullptr, UsageError, 1182,
                 "{} runs in one process, and a launcher started {}; run it without the launcher",
                 what, group->size());
}

int share_of_threads() {
  const auto launch = dist::launched();
  return launch ? std::max(1, available_threads() / launch->local_size) : 0;
}

void on_first_rank(dist::Group* group, const std::function<void()>& work) {
  if (group == nullptr) return work();
  dist::together(*group, [&] {
    if (group->rank() == 0) work();
  });
}

std::string rank_text() { return joined() ? fmt::format(" (rank {})", joined()->rank()) : ""; }

void fail_group(const std::string& why) noexcept {
  if (joined()) joined()->fail(why);
}

bool leave_group() noexcept {
  const bool was_joined = joined() != nullptr;
  joined().reset();
  return was_joined;
}

}  // namespace gradatim::cli
