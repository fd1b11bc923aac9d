// LIBSVM and SVMlight text: "label [qid:7] 3:0.5 12:1 # comment", a line a row.
//
// Columns: `label`, `qid` where the lines have it, and a sparse one for each index that occurs,
// named by it: x3, x12. The columns that a fitted model expects are there too.
#pragma once

#include <span>
#include <string>

#include "gradatim/data/reader.h"
#include "gradatim/data/table.h"

namespace gradatim::data {

/// One table of one or several files. DataError GRD-2038 with file, line and token.
Table read_libsvm(std::span<const std::string> paths, const ReadOptions& options);

/// The same of text in memory; `name` stands for the file in messages.
Table parse_libsvm(std::string_view text, const std::string& name, const ReadOptions& options = {});

}  // namespace gradatim::data
