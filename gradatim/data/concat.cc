#include "gradatim/data/concat.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/data/convert.h"
#include "gradatim/data/dictionary.h"
#include "gradatim/data/schema.h"

namespace gradatim::data {
namespace {

CellType type_of(const Column& column) { return {column.type(), column.time_unit()}; }

// The same cells in one more list of chunks, which keeps every owner.
Column joined(const std::vector<Column>& parts) {
  auto owners = std::make_shared<std::vector<std::shared_ptr<const void>>>();
  std::vector<Chunk> chunks;
  for (const auto& part : parts) {
    owners->push_back(part.owner());
    chunks.insert(chunks.end(), part.chunks().begin(), part.chunks().end());
  }
  const Column& first = parts.front();
  return Column(first.name(), first.type(), first.storage(), std::move(chunks), owners,
                first.shared_categories())
      .with_time_unit(first.time_unit())
      .with_absent(first.absent());
}

Column united_words(std::vector<Column> parts) {
  Dictionary words;
  for (const auto& part : parts) {
    for (const auto& word : part.categories()) words.code(word);
  }
  const auto categories = std::make_shared<const Categories>(words.take());
  for (auto& part : parts) {
    part = recode(part, categories);
    if (part.storage() == Storage::i32 && part.shared_categories() == categories) continue;
    std::vector<std::int32_t> codes(static_cast<std::size_t>(part.rows()));
    part.read_codes(0, codes);
    part = categorical_column(part.name(), std::move(codes), *categories);
  }
  return joined(parts);
}

Column as_doubles(std::vector<Column> parts) {
  std::vector<double> values;
  for (const auto& part : parts) {
    const std::size_t start = values.size();
    values.resize(start + static_cast<std::size_t>(part.rows()));
    part.read(0, std::span(values).subspan(start));
  }
  return numeric_column(parts.front().name(), std::move(values));
}

Column concat_columns(std::vector<Column> parts, const std::vector<Table>& tables) {
  const Column& first = parts.front();
  bool same_storage = true;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const CellType own = type_of(parts[i]);
    const bool mixed =
        own.time_unit != first.time_unit() ||
        (own.type == ColumnType::categorical) != (first.type() == ColumnType::categorical);
    GRADATIM_CHECK(!mixed, DataError, 2010,
                   "column '{}' is {} in {}, but {} in {}; give both the same type, or a schema",
                   first.name(), type_name(type_of(first)), tables[0].source(), type_name(own),
                   tables[i].source());
    same_storage = same_storage && own == type_of(first) && parts[i].storage() == first.storage() &&
                   parts[i].sparse() == first.sparse();
  }
  if (first.type() == ColumnType::categorical) {
    const bool same_words = std::all_of(parts.begin(), parts.end(), [&](const Column& part) {
      return part.categories() == first.categories();
    });
    return same_storage && same_words ? joined(parts) : united_words(std::move(parts));
  }
  return same_storage ? joined(parts) : as_doubles(std::move(parts));
}

}  // namespace

Table concat(std::vector<Table> tables, std::string source) {
  if (tables.size() == 1) {
    return Table({tables[0].columns().begin(), tables[0].columns().end()}, std::move(source));
  }
  for (std::size_t i = 1; i < tables.size(); ++i) {
    for (const auto& column : tables[i].columns()) {
      GRADATIM_CHECK(tables[0].find(column.name()) != nullptr, DataError, 2004,
                     "{} has a column '{}' that {} does not have; all files need the same columns",
                     tables[i].source(), column.name(), tables[0].source());
    }
  }
  std::vector<Column> columns;
  for (const auto& column : tables.front().columns()) {
    std::vector<Column> parts;
    for (const auto& table : tables) {
      const Column* part = table.find(column.name());
      GRADATIM_CHECK(part != nullptr, DataError, 2004,
                     "{} lacks the column '{}' of {}; all files need the same columns",
                     table.source(), column.name(), tables[0].source());
      parts.push_back(*part);
    }
    columns.push_back(concat_columns(std::move(parts), tables));
  }
  return Table(std::move(columns), std::move(source));
}

}  // namespace gradatim::data
