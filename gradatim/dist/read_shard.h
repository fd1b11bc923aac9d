// read_shard: a rank's part of the rows of a source.
#pragma once

#include <cstdint>
#include <string>

#include "gradatim/data/reader.h"
#include "gradatim/data/table.h"
#include "gradatim/dist/group.h"

namespace gradatim::dist {

/// Some of the rows of a table that ranks share, in one run.
struct TablePart {
  data::Table table;            // of this rank; its rows may be none
  std::int64_t first_row = 0;   // of the table in the whole
  std::int64_t total_rows = 0;  // of the whole; never 0
};

/// The shards of ranks 0, 1, ... one behind the other are the table of data::read_table(): the same
/// rows, types and categories. Every rank calls it with the same source, which all of them can
/// read. CSV and TSV are cut by bytes, Parquet by rows, mostly at row groups, so that a rank reads
/// little more than it keeps; of other formats each reads all, and keeps its part.
///
/// An error is the one of read_table(), with the line or row in the whole, on the rank that met it,
/// and DistributedError GRD-5003 with its words on the others. GRD-5004 where ranks see other
/// files. GRD-5011 for what only one process can read, such as standard input. Warnings are those
/// of read_table(), and every rank's observer is told them.
TablePart read_shard(Group& group, const std::string& source,
                     const data::ReadOptions& options = {});

}  // namespace gradatim::dist
