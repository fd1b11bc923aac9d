// CSV: the reader and the writer behind read_table and write_table.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "gradatim/data/reader.h"
#include "gradatim/data/table.h"

namespace gradatim::data {

/// One table of one or several files that have the same columns. A separator of 0 is found in the
/// first line of each file.
Table read_csv(std::span<const std::string> paths, const ReadOptions& options, char separator = 0);

/// The same of text in memory; `name` stands for the file in messages.
Table parse_csv(std::string_view text, const std::string& name, const ReadOptions& options = {},
                char separator = 0);

/// The whole table as text, names first. Missing cells are empty; doubles round-trip.
std::string csv_text(const Table& table, char separator = ',');

}  // namespace gradatim::data
