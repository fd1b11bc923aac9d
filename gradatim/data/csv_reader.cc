// The reader looks at some rows to guess the types, parses all rows by that guess, and reads again
// only the columns that broke it: the answer is the narrowest type of all cells, in nearly always
// one pass over the bytes.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/text.h"
#include "gradatim/data/csv.h"
#include "gradatim/data/csv_cells.h"
#include "gradatim/data/message.h"

namespace gradatim::data {
namespace {

constexpr std::int64_t kSampledRows = 1000;

struct CsvColumn {
  std::string name;
  std::optional<CellType> asked;  // by the schema or the model
  bool by_model = false;
  CellKinds kinds = 0;
  CellType type;
  CsvCells cells;
  std::string surprise;  // the first cell that broke the guess, for a warning
};

struct CsvFile {
  CsvScanner scanner;
  const char* first_row;
  std::vector<std::size_t> order;  // the column of each field
};

class CsvReader {
 public:
  explicit CsvReader(const ReadOptions& options) : options_(options) {}

  void add(std::string_view bytes, const std::string& path, char separator);
  Table read(std::string source);

 private:
  std::vector<std::string> header(CsvScanner& scanner) const;
  void first_header(const std::vector<std::string>& names, const std::string& path);
  std::vector<std::size_t> match_header(const std::vector<std::string>& names,
                                        const std::string& path) const;
  std::int64_t pass(std::int64_t most_rows);
  void read_row(CsvFile& file);
  void refuse(const CsvFile& file, const char* row, CsvColumn& column, const Field& field);
  void warn_of_surprises() const;
  void warn_of_stray_words(std::span<const Column> columns) const;
  std::int64_t estimated_rows(std::int64_t sampled) const;

  const ReadOptions& options_;
  std::vector<CsvFile> files_;
  std::vector<CsvColumn> columns_;
  std::unordered_map<std::string, std::size_t> index_;
  std::size_t bytes_ = 0;
  std::size_t sampled_bytes_ = 0;
};

std::vector<std::string> CsvReader::header(CsvScanner& scanner) const {
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

void CsvReader::first_header(const std::vector<std::string>& names, const std::string& path) {
  columns_.resize(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto [at, added] = index_.emplace(names[i], i);
    GRADATIM_CHECK(added, DataError, 2003,
                   "{}: columns {} and {} are both named '{}'; rename one of them", path,
                   at->second + 1, i + 1, names[i]);
    CsvColumn& column = columns_[i];
    column.name = names[i];
    const ColumnSchema* asked = options_.schema ? options_.schema->find(names[i]) : nullptr;
    if (asked == nullptr && options_.expected != nullptr) {
      asked = options_.expected->find(names[i]);
      column.by_model = asked != nullptr;
    }
    if (asked != nullptr) column.asked = asked->cell_type();
    // A model reads every kind of number alike: 0/1 for true/false, 3.5 where it saw integers.
    if (column.by_model && asked->time_unit == TimeUnit::none &&
        asked->type != ColumnType::categorical) {
      column.asked = CellType{};
    }
  }
  if (options_.schema == nullptr) return;
  for (const auto& wanted : options_.schema->columns) {
    GRADATIM_CHECK(index_.contains(wanted.name), DataError, 2004,
                   "the schema names a column '{}', which {} does not have{}", wanted.name, path,
                   did_you_mean(wanted.name, names));
  }
}

std::vector<std::size_t> CsvReader::match_header(const std::vector<std::string>& names,
                                                 const std::string& path) const {
  std::vector<std::size_t> order;
  std::vector<bool> seen(columns_.size());
  for (const auto& name : names) {
    const auto at = index_.find(name);
    GRADATIM_CHECK(at != index_.end(), DataError, 2004,
                   "{} has a column '{}' that {} does not have; all files need the same columns",
                   path, name, files_.front().scanner.path());
    GRADATIM_CHECK(!seen[at->second], DataError, 2003, "two columns of {} are named '{}'", path,
                   name);
    seen[at->second] = true;
    order.push_back(at->second);
  }
  const auto lost = std::find(seen.begin(), seen.end(), false);
  GRADATIM_CHECK(lost == seen.end(), DataError, 2004,
                 "{} lacks the column '{}' of {}; all files need the same columns", path,
                 columns_[static_cast<std::size_t>(lost - seen.begin())].name,
                 files_.front().scanner.path());
  return order;
}

void CsvReader::add(std::string_view bytes, const std::string& path, char separator) {
  CsvScanner scanner(bytes, path, separator);
  const auto names = header(scanner);
  if (files_.empty()) first_header(names, path);
  auto order = match_header(names, path);
  const char* first_row = scanner.position();
  files_.push_back({std::move(scanner), first_row, std::move(order)});
  bytes_ += bytes.size();
}

// Reads at most that many rows of every file from its start; returns how many there were.
std::int64_t CsvReader::pass(std::int64_t most_rows) {
  std::int64_t rows = 0;
  sampled_bytes_ = 0;
  for (auto& file : files_) {
    file.scanner.rewind(file.first_row);
    std::int64_t here = 0;
    while (here < most_rows) {
      file.scanner.skip_blank_lines();
      if (file.scanner.at_end()) break;
      read_row(file);
      ++here;
    }
    sampled_bytes_ += static_cast<std::size_t>(file.scanner.position() - file.first_row);
    rows += here;
  }
  return rows;
}

void CsvReader::read_row(CsvFile& file) {
  const char* row = file.scanner.position();
  const std::size_t expected = file.order.size();
  std::size_t found = 0;
  Field field;
  FieldEnd end = FieldEnd::separator;
  while (end == FieldEnd::separator) {
    end = file.scanner.next(field);
    if (found < expected) {
      CsvColumn& column = columns_[file.order[found]];
      const bool fits = std::visit([&](auto& cells) { return cells.append(field); }, column.cells);
      if (!fits) [[unlikely]]
        refuse(file, row, column, field);
    }
    ++found;
  }
  GRADATIM_CHECK(found == expected, DataError, 2006,
                 "{}, line {}: {} found, but the first line names {}; is a separator or a quote "
                 "missing or too many?",
                 file.scanner.path(), file.scanner.line(row), counted(found, "field"), expected);
}

void CsvReader::refuse(const CsvFile& file, const char* row, CsvColumn& column,
                       const Field& field) {
  const std::string place = fmt::format("{}, line {}, column '{}': '{}'", file.scanner.path(),
                                        file.scanner.line(row), column.name, shown(field.text));
  if (column.asked) {
    throw DataError(2010,
                    fmt::format("{} is not {}, which the {}; correct the cell or leave it "
                                "empty",
                                place, article_name(*column.asked),
                                column.by_model ? "model was trained on" : "schema asks for"));
  }
  column.surprise = fmt::format("{} is not {}", place, article_name(column.type));
  UnknownCells rest{.kinds = column.kinds};
  rest.append(field);
  column.cells = rest;
}

std::int64_t CsvReader::estimated_rows(std::int64_t sampled) const {
  if (sampled == 0 || sampled_bytes_ == 0) return 0;
  const double a_row = static_cast<double>(sampled_bytes_) / static_cast<double>(sampled);
  return static_cast<std::int64_t>(static_cast<double>(bytes_) / a_row * 1.02) + 16;
}

void CsvReader::warn_of_surprises() const {
  if (options_.observer == nullptr) return;
  for (const auto& column : columns_) {
    if (column.asked || column.type.type != ColumnType::categorical) continue;
    if (!column.surprise.empty()) {
      options_.observer->on_warning(column.surprise +
                                    ", so that the whole column is read as categories; a schema "
                                    "decides otherwise");
    } else if ((column.kinds & static_cast<CellKinds>(CellKind::big_integer)) != 0 &&
               (column.kinds & static_cast<CellKinds>(CellKind::word)) == 0) {
      options_.observer->on_warning(
          fmt::format("column '{}' has integers beyond 2^53 and is read as categories; a schema "
                      "decides otherwise",
                      column.name));
    }
  }
}

Table CsvReader::read(std::string source) {
  const std::int64_t sampled = pass(kSampledRows);
  GRADATIM_CHECK(sampled > 0, DataError, 2009, "{} names its columns, but has no rows", source);
  const std::int64_t room = estimated_rows(sampled);
  for (auto& column : columns_) {
    column.kinds = std::get<UnknownCells>(column.cells).kinds;
    column.type = column.asked.value_or(narrowest_type(column.kinds));
    const bool known = column.asked || column.kinds != 0;
    if (known) column.cells = cells_for(column.type, column.asked.has_value(), room);
  }
  const std::int64_t rows = pass(std::numeric_limits<std::int64_t>::max());

  // Columns that broke their guess, or showed no value to guess by.
  std::vector<std::optional<Column>> done(columns_.size());
  bool again = false;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    CsvColumn& column = columns_[i];
    if (const auto* unknown = std::get_if<UnknownCells>(&column.cells)) {
      column.kinds = unknown->kinds;
      column.type = narrowest_type(column.kinds);
      column.cells = cells_for(column.type, false, rows);
      again = true;
    } else {
      done[i] = std::visit([&](auto& cells) { return cells.take(column.name); }, column.cells);
      column.cells = SkippedCells{};
    }
  }
  if (again) pass(std::numeric_limits<std::int64_t>::max());
  warn_of_surprises();
  std::vector<Column> columns;
  columns.reserve(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    CsvColumn& column = columns_[i];
    columns.push_back(
        done[i] ? std::move(*done[i])
                : std::visit([&](auto& cells) { return cells.take(column.name); }, column.cells));
  }
  warn_of_stray_words(columns);
  return Table(std::move(columns), std::move(source));
}

// Mostly numbers and a few words: rather a slip than categories.
void CsvReader::warn_of_stray_words(std::span<const Column> columns) const {
  constexpr std::int64_t kFewestNumbers = 20;
  constexpr std::int64_t kNumbersAWord = 20;
  if (options_.observer == nullptr) return;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].type() != ColumnType::categorical || columns_[i].asked ||
        !columns_[i].surprise.empty()) {
      continue;
    }
    std::int64_t numbers = 0;
    std::vector<std::string> words;
    for (const auto& word : columns[i].categories()) {
      if (parse_cell_number(word))
        ++numbers;
      else
        words.push_back(word);
    }
    if (words.empty() || numbers < kFewestNumbers ||
        numbers < kNumbersAWord * static_cast<std::int64_t>(words.size())) {
      continue;
    }
    options_.observer->on_warning(
        fmt::format("column '{}' has {} different numbers and '{}', so that the whole column is "
                    "read as categories; a schema decides otherwise",
                    columns[i].name(), numbers, shown(words.front())));
  }
}

}  // namespace

Table read_csv(std::span<const std::string> paths, const ReadOptions& options, char separator) {
  std::vector<std::unique_ptr<MappedFile>> maps;
  CsvReader reader(options);
  for (const auto& path : paths) {
    maps.push_back(std::make_unique<MappedFile>(path));
    reader.add(maps.back()->bytes(), path, separator);
  }
  return reader.read(paths.front());
}

Table parse_csv(std::string_view text, const std::string& name, const ReadOptions& options,
                char separator) {
  CsvReader reader(options);
  reader.add(text, name, separator);
  return reader.read(name);
}

}  // namespace gradatim::data
