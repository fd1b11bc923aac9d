// Conversions between the types of columns: what a schema asks of a column that has its own type.
#pragma once

#include <cstdint>
#include <string>

#include "gradatim/data/cell.h"
#include "gradatim/data/schema.h"
#include "gradatim/data/table.h"

namespace gradatim::data {

/// The column as that type: numbers as words, words as numbers, times in the other unit. The column
/// itself where nothing needs to change. GRD-2010 names the first cell that does not fit; `source`
/// and `asker` ("schema asks for") complete the sentence. `first_row` is the place of the column's
/// first row where it is a part of the source.
Column convert(const Column& column, CellType type, const std::string& source,
               const std::string& asker, std::int64_t first_row = 0);

/// The codes of words among known ones, or -1: the same word, or else the one that is the same
/// number or truth in another spelling ("1.0" and "1", "True" and "true"), if one alone is.
std::vector<std::int32_t> codes_among(const Categories& words, const Categories& known);
/// A categorical column with the codes of these categories; words that they lack are missing.
Column recode(const Column& column, std::shared_ptr<const Categories> categories);

/// The column of a new table that stands where a fitted model saw `schema`: matched by name
/// (GRD-2004 where it lacks), of the model's type (GRD-2010) and with the model's codes, -1 for a
/// category that training did not see. Numbers of any kind stay as they lie in memory.
Column align(const Table& table, const ColumnSchema& schema);
/// All of them, in the schema's order; other columns of the table are left out.
Table align(const Table& table, const Schema& schema);

/// The table with the schema's columns converted. GRD-2004 for one that it does not have.
Table apply_schema(const Table& table, const Schema& schema, std::int64_t first_row = 0);

}  // namespace gradatim::data
