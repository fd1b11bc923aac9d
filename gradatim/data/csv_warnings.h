// What the reader of delimited text found surprising, told to an observer.
#pragma once

#include <span>

#include "gradatim/core/observer.h"
#include "gradatim/data/csv_reader.h"

namespace gradatim::data {

/// Columns that became categories by a cell behind the first rows, by integers beyond 2^53, or by a
/// few words among many numbers. `found` and `columns` are of all rows.
void warn_of_categories(std::span<const CsvName> names, const CsvFindings& found,
                        std::span<const Column> columns, Observer& observer);

}  // namespace gradatim::data
