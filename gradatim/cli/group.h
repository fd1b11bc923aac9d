// The group that this process is a rank of, where a launcher (or --processes) started it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gradatim/cli/cli.h"
#include "gradatim/dist/group.h"

namespace gradatim::cli {

/// Joins the others at the first call, for a verb that has joins_group. Null where this process is
/// by itself.
std::shared_ptr<dist::Group> join_group(const Arguments& arguments);

/// UsageError GRD-1182 where a launcher started several processes of a verb that runs in one.
void check_one_process(const Command& command);

/// The same for what a verb that joins groups does in one process only.
void check_no_group(const dist::Group* group, std::string_view what);

/// Threads of this process where several share the machine; 0 where none does.
int share_of_threads();

/// Rank 0 works while the others wait; an error of its ends all.
void on_first_rank(dist::Group* group, const std::function<void()>& work);

/// " (rank 2)", or nothing.
std::string rank_text();
/// Tells the others why this process stops, if there are any.
void fail_group(const std::string& why) noexcept;
/// At the end. True where a group was joined; some of its threads may run on.
bool leave_group() noexcept;

}  // namespace gradatim::cli
