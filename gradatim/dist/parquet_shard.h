// A rank's part of Parquet files: row groups, the ends of which may be cut.
#pragma once

#include <span>
#include <string>

#include "gradatim/data/reader.h"
#include "gradatim/data/table.h"
#include "gradatim/dist/group.h"

namespace gradatim::dist {

/// As many rows as the other ranks, or up to a sixteenth more or less where row groups end there.
/// Only a row group that is cut is read by two ranks.
data::Table read_parquet_shard(Group& group, std::span<const std::string> paths,
                               const data::ReadOptions& options);

}  // namespace gradatim::dist
