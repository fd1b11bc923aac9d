#include "gradatim/data/table.h"

#include <fmt/format.h>

#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::data {
namespace {

std::string in_source(const std::string& source) { return source.empty() ? "" : " in " + source; }

}  // namespace

std::string describe_column(std::string_view name, std::string_view source) {
  return source.empty() ? fmt::format("column '{}'", name)
                        : fmt::format("column '{}' of {}", name, source);
}

Table::Table(std::vector<Column> columns, std::string source)
    : columns_(std::make_shared<const std::vector<Column>>(std::move(columns))),
      source_(std::move(source)) {
  auto index = std::make_shared<Index>();
  if (!columns_->empty()) rows_ = columns_->front().rows();
  for (const auto& column : *columns_) {
    GRADATIM_CHECK(column.rows() == rows_, DataError, 2003,
                   "{} has {} rows, but column '{}' has {}; all columns need the same length",
                   describe_column(column.name(), source_), column.rows(), columns_->front().name(),
                   rows_);
    GRADATIM_CHECK(index->emplace(column.name(), index->size()).second, DataError, 2003,
                   "two columns{} are named '{}'; rename one of them", in_source(source_),
                   column.name());
  }
  index_ = std::move(index);
}

const Column* Table::find(std::string_view name) const {
  if (!index_) return nullptr;
  const auto at = index_->find(name);
  return at == index_->end() ? nullptr : &(*columns_)[at->second];
}

const Column& Table::column(std::string_view name) const {
  if (const Column* found = find(name)) return *found;
  std::vector<std::string> names;
  for (const auto& column : columns()) names.push_back(column.name());
  const std::string hint = did_you_mean(name, names);
  throw DataError(2004, fmt::format("there is no column '{}'{}{}", name, in_source(source_), hint));
}

Table Table::without(std::string_view name) const {
  std::vector<Column> rest;
  for (const auto& column : columns()) {
    if (column.name() != name) rest.push_back(column);
  }
  Table table(std::move(rest), source_);
  table.rows_ = rows_;
  return table;
}

Table Table::take(std::span<const std::int64_t> rows) const {
  std::vector<Column> taken;
  taken.reserve(columns().size());
  for (const auto& column : columns()) taken.push_back(column.take(rows));
  Table table(std::move(taken), source_);
  table.rows_ = static_cast<std::int64_t>(rows.size());
  return table;
}

}  // namespace gradatim::data
