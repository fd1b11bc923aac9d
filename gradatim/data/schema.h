// Schema: the names, types and categories of columns.
//
// A person writes one to overrule the inference (--schema):
//   {"columns": {"month": "categorical", "age": "numeric"}}
// and a model file keeps one of its features, with categories in the order of their codes:
//   {"columns": [{"name": "origin", "type": "categorical", "categories": ["EWR", "JFK"]}]}
// Where a row without an entry of a sparse column is missing, "absent": "missing" says so; else
// zero. Types: numeric, integer, boolean, categorical, date, timestamp.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/data/cell.h"
#include "gradatim/data/table.h"

namespace gradatim::data {

struct ColumnSchema {
  std::string name;
  ColumnType type = ColumnType::numeric;
  TimeUnit time_unit = TimeUnit::none;
  /// Of a categorical column of a fitted model; null where any word is welcome.
  std::shared_ptr<const Categories> categories;
  /// What the rows without an entry held where the column was sparse.
  Absent absent = Absent::zero;

  CellType cell_type() const { return {type, time_unit}; }
};

struct Schema {
  std::vector<ColumnSchema> columns;

  const ColumnSchema* find(std::string_view name) const;
};

/// "numeric", "date", ...
std::string_view type_name(CellType type);

/// What the model file keeps of a table's columns.
ColumnSchema schema_of(const Column& column);
Schema schema_of(const Table& table);

/// Either form above. DataError GRD-2012 where it is neither; `source` names it in messages.
Schema parse_schema(std::string_view json, const std::string& source);
Schema read_schema(const std::string& path);
/// The second form.
std::string schema_json(const Schema& schema);

}  // namespace gradatim::data
