#include "gradatim/data/csv_header.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::data {
namespace {

std::vector<std::string> first_line(CsvScanner& scanner) {
  std::vector<std::string> names;
  scanner.skip_blank_lines();
  GRADATIM_CHECK(!scanner.at_end(), DataError, 2009,
                 "{} is empty; the first line must name the columns", scanner.path());
  Field field;
  FieldEnd end = FieldEnd::separator;
  while (end == FieldEnd::separator) {
    end = scanner.next(field);
    // pandas writes its index under an empty name.
    names.push_back(field.text.empty() ? fmt::format("column_{}", names.size() + 1)
                                       : std::string(field.text));
  }
  return names;
}

}  // namespace

std::vector<std::size_t> CsvHeader::read(CsvScanner& scanner) {
  const auto names = first_line(scanner);
  if (columns_.empty()) {
    first_path_ = scanner.path();
    name_columns(names);
  }
  return match(names, scanner.path());
}

void CsvHeader::name_columns(const std::vector<std::string>& names) {
  columns_.resize(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto [at, added] = index_.emplace(names[i], i);
    GRADATIM_CHECK(added, DataError, 2003,
                   "{}: columns {} and {} are both named '{}'; rename one of them", first_path_,
                   at->second + 1, i + 1, names[i]);
    columns_[i].name = names[i];
    ask(columns_[i]);
  }
  if (options_.schema == nullptr) return;
  for (const auto& wanted : options_.schema->columns) {
    GRADATIM_CHECK(index_.contains(wanted.name), DataError, 2004,
                   "the schema names a column '{}', which {} does not have{}", wanted.name,
                   first_path_, did_you_mean(wanted.name, names));
  }
}

void CsvHeader::ask(CsvName& column) const {
  const ColumnSchema* asked = options_.schema ? options_.schema->find(column.name) : nullptr;
  if (asked == nullptr && options_.expected != nullptr) {
    asked = options_.expected->find(column.name);
    column.by_model = asked != nullptr;
  }
  if (asked != nullptr) column.asked = asked->cell_type();
  // A model reads every kind of number alike: 0/1 for true/false, 3.5 where it saw integers.
  if (column.by_model && asked->time_unit == TimeUnit::none &&
      asked->type != ColumnType::categorical) {
    column.asked = CellType{};
  }
}

std::vector<std::size_t> CsvHeader::match(const std::vector<std::string>& names,
                                          const std::string& path) const {
  std::vector<std::size_t> order;
  std::vector<bool> seen(columns_.size());
  for (const auto& name : names) {
    const auto at = index_.find(name);
    GRADATIM_CHECK(at != index_.end(), DataError, 2004,
                   "{} has a column '{}' that {} does not have; all files need the same columns",
                   path, name, first_path_);
    GRADATIM_CHECK(!seen[at->second], DataError, 2003, "two columns of {} are named '{}'", path,
                   name);
    seen[at->second] = true;
    order.push_back(at->second);
  }
  const auto lost = std::find(seen.begin(), seen.end(), false);
  GRADATIM_CHECK(lost == seen.end(), DataError, 2004,
                 "{} lacks the column '{}' of {}; all files need the same columns", path,
                 columns_[static_cast<std::size_t>(lost - seen.begin())].name, first_path_);
  return order;
}

}  // namespace gradatim::data
