// A rank's part of delimited text: a range of bytes, moved to where records begin.
#pragma once

#include <span>
#include <string>

#include "gradatim/data/reader.h"
#include "gradatim/data/table.h"
#include "gradatim/dist/group.h"

namespace gradatim::dist {

/// The records of data::read_csv() that begin in this rank's part of the bytes of all files. What
/// it throws, and what it tells the observer, is what one process would.
data::Table read_csv_shard(Group& group, std::span<const std::string> paths,
                           const data::ReadOptions& options, char separator);

}  // namespace gradatim::dist
