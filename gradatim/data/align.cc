#include <fmt/format.h>

#include <utility>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/convert.h"

namespace gradatim::data {
namespace {

std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const auto& column : table.columns()) names.push_back(column.name());
  return names;
}

bool is_plain_number(CellType type) {
  return type.type != ColumnType::categorical && type.time_unit == TimeUnit::none;
}

}  // namespace

Column align(const Table& table, const ColumnSchema& schema) {
  const Column* found = table.find(schema.name);
  if (found == nullptr) {
    const std::string where = table.source().empty() ? "the table" : table.source();
    throw DataError(2004, fmt::format("{} has no column '{}', which the model needs{}", where,
                                      schema.name, did_you_mean(schema.name, names_of(table))));
  }
  CellType wanted = schema.cell_type();
  const CellType own{found->type(), found->time_unit()};
  if (is_plain_number(wanted)) {
    // A model reads every kind of number alike.
    if (is_plain_number(own)) return found->with_absent(schema.absent);
    wanted = {};
  }
  Column column = convert(*found, wanted, table.source(), "model was trained on");
  return schema.categories ? recode(column, schema.categories) : column;
}

Table align(const Table& table, const Schema& schema) {
  std::vector<Column> columns;
  columns.reserve(schema.columns.size());
  for (const auto& column : schema.columns) columns.push_back(align(table, column));
  return Table(std::move(columns), table.source());
}

Table apply_schema(const Table& table, const Schema& schema, std::int64_t first_row) {
  std::vector<Column> columns(table.columns().begin(), table.columns().end());
  for (const auto& wanted : schema.columns) {
    const Column* found = table.find(wanted.name);
    GRADATIM_CHECK(found != nullptr, DataError, 2004,
                   "the schema names a column '{}', which {} does not have{}", wanted.name,
                   table.source().empty() ? "the table" : table.source(),
                   did_you_mean(wanted.name, names_of(table)));
    const auto place = static_cast<std::size_t>(found - table.columns().data());
    columns[place] =
        convert(*found, wanted.cell_type(), table.source(), "schema asks for", first_row);
    if (wanted.categories) columns[place] = recode(columns[place], wanted.categories);
  }
  return Table(std::move(columns), table.source());
}

}  // namespace gradatim::data
