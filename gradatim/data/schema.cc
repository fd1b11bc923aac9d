#include "gradatim/data/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/text.h"

namespace gradatim::data {
namespace {

using Json = nlohmann::ordered_json;

struct NamedType {
  const char* name;
  CellType type;
};
constexpr NamedType kTypes[] = {
    {"numeric", {ColumnType::numeric, TimeUnit::none}},
    {"integer", {ColumnType::integer, TimeUnit::none}},
    {"boolean", {ColumnType::boolean, TimeUnit::none}},
    {"categorical", {ColumnType::categorical, TimeUnit::none}},
    {"date", {ColumnType::integer, TimeUnit::days}},
    {"timestamp", {ColumnType::integer, TimeUnit::microseconds}},
};

CellType parse_type(const Json& word, const std::string& column, const std::string& source) {
  std::vector<std::string> names;
  for (const auto& known : kTypes) {
    if (word.is_string() && word.get_ref<const std::string&>() == known.name) return known.type;
    names.emplace_back(known.name);
  }
  const std::string given = word.is_string() ? word.get<std::string>() : word.dump();
  throw DataError(2012, fmt::format("{}: column '{}' has the type '{}'; use one of {}{}", source,
                                    column, given, join_and(names), did_you_mean(given, names)));
}

[[noreturn]] void wrong_form(const std::string& source, std::string_view what) {
  throw DataError(2012,
                  fmt::format("{}: {}; a schema is like {{\"columns\": {{\"age\": \"numeric\"}}}}",
                              source, what));
}

std::shared_ptr<const Categories> parse_categories(const Json& list, const std::string& column,
                                                   const std::string& source) {
  auto categories = std::make_shared<Categories>();
  std::unordered_set<std::string> seen;
  if (!list.is_array()) wrong_form(source, fmt::format("categories of '{}' are no list", column));
  for (const auto& word : list) {
    if (!word.is_string() || !seen.insert(word.get<std::string>()).second) {
      wrong_form(source, fmt::format("categories of '{}' are not distinct words", column));
    }
    categories->push_back(word.get<std::string>());
  }
  return categories;
}

ColumnSchema parse_record(const Json& record, const std::string& source) {
  if (!record.is_object() || !record.contains("name") || !record["name"].is_string() ||
      !record.contains("type")) {
    wrong_form(source, "a column needs a name and a type");
  }
  ColumnSchema column{.name = record["name"].get<std::string>()};
  const CellType type = parse_type(record["type"], column.name, source);
  column.type = type.type;
  column.time_unit = type.time_unit;
  if (record.contains("categories")) {
    if (column.type != ColumnType::categorical) {
      wrong_form(source,
                 fmt::format("column '{}' is not categorical, but has categories", column.name));
    }
    column.categories = parse_categories(record["categories"], column.name, source);
  }
  if (record.contains("absent")) {
    if (record["absent"] != "missing") {
      wrong_form(source, fmt::format("absent of '{}' is not \"missing\"", column.name));
    }
    column.absent = Absent::missing;
  }
  return column;
}

}  // namespace

const ColumnSchema* Schema::find(std::string_view name) const {
  const auto at = std::find_if(columns.begin(), columns.end(),
                               [name](const ColumnSchema& c) { return c.name == name; });
  return at == columns.end() ? nullptr : &*at;
}

std::string_view type_name(CellType type) {
  for (const auto& known : kTypes) {
    if (known.type == type) return known.name;
  }
  return "integer";
}

ColumnSchema schema_of(const Column& column) {
  return {.name = column.name(),
          .type = column.type(),
          .time_unit = column.time_unit(),
          .categories = column.shared_categories(),
          .absent = column.absent()};
}

Schema schema_of(const Table& table) {
  Schema schema;
  for (const auto& column : table.columns()) schema.columns.push_back(schema_of(column));
  return schema;
}

Schema parse_schema(std::string_view json, const std::string& source) {
  const Json document = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) wrong_form(source, "not valid JSON");
  if (!document.is_object() || !document.contains("columns")) wrong_form(source, "no \"columns\"");
  const Json& columns = document["columns"];
  Schema schema;
  if (columns.is_object()) {
    for (const auto& [name, word] : columns.items()) {
      const CellType type = parse_type(word, name, source);
      schema.columns.push_back({.name = name, .type = type.type, .time_unit = type.time_unit});
    }
  } else if (columns.is_array()) {
    for (const auto& record : columns) schema.columns.push_back(parse_record(record, source));
  } else {
    wrong_form(source, "\"columns\" is neither an object nor a list");
  }
  std::unordered_set<std::string_view> names;
  for (const auto& column : schema.columns) {
    if (!names.insert(column.name).second) {
      wrong_form(source, fmt::format("column '{}' is listed twice", column.name));
    }
  }
  return schema;
}

Schema read_schema(const std::string& path) {
  const MappedFile file(path);
  return parse_schema(file.bytes(), path);
}

std::string schema_json(const Schema& schema) {
  Json columns = Json::array();
  for (const auto& column : schema.columns) {
    Json record = {{"name", column.name}, {"type", type_name(column.cell_type())}};
    if (column.categories) record["categories"] = *column.categories;
    if (column.absent == Absent::missing) record["absent"] = "missing";
    columns.push_back(std::move(record));
  }
  return Json{{"columns", std::move(columns)}}.dump();
}

}  // namespace gradatim::data
