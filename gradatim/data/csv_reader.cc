#include "gradatim/data/csv_reader.h"

#include <fmt/format.h>

#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/data/csv.h"
#include "gradatim/data/csv_warnings.h"
#include "gradatim/data/message.h"
#include "gradatim/data/text_file.h"

namespace gradatim::data {
namespace {

constexpr std::int64_t kSampledRows = 1000;
constexpr std::int64_t kAllRows = std::numeric_limits<std::int64_t>::max();

Table read_whole(CsvReader& reader, std::string source) {
  const auto all = reader.read(reader.sample());
  auto columns = reader.take(all);
  reader.warn(all, columns);
  return Table(std::move(columns), std::move(source));
}

}  // namespace

void CsvFindings::add(const CsvFindings& later) {
  rows += later.rows;
  bytes += later.bytes;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    kinds[i] = static_cast<CellKinds>(kinds[i] | later.kinds[i]);
    if (surprises[i].empty()) surprises[i] = later.surprises[i];
  }
}

void CsvReader::add(std::string_view bytes, const std::string& path, char separator) {
  CsvScanner scanner(bytes, path, separator);
  auto order = header_.read(scanner);
  columns_.resize(header_.columns().size());
  const auto first_row = static_cast<std::size_t>(scanner.position() - bytes.data());
  files_.push_back(
      {std::move(scanner), bytes, first_row, std::move(order), {first_row, bytes.size()}});
}

std::size_t CsvReader::first_row(std::size_t file) const { return files_[file].first_row; }

CsvDialect CsvReader::dialect(std::size_t file) const {
  return {files_[file].scanner.separator(), files_[file].scanner.line_end()};
}

void CsvReader::keep(std::size_t file, TextPart part, bool samples) {
  files_[file].part = part;
  files_[file].samples = samples;
}

void CsvReader::limit(File& file, TextPart part) {
  file.scanner.limit(file.bytes.data() + part.from, file.bytes.data() + part.to);
}

std::int64_t CsvReader::read_rows(File& file, std::int64_t most) {
  for (std::int64_t row = 0; row < most; ++row) {
    file.scanner.skip_blank_lines();
    if (file.scanner.at_end()) return row;
    read_row(file);
  }
  return most;
}

void CsvReader::read_row(File& file) {
  const char* row = file.scanner.position();
  const std::size_t expected = file.order.size();
  std::size_t found = 0;
  Field field;
  FieldEnd end = FieldEnd::separator;
  while (end == FieldEnd::separator) {
    end = file.scanner.next(field);
    if (found < expected) {
      const std::size_t column = file.order[found];
      const bool fits =
          std::visit([&](auto& cells) { return cells.append(field); }, columns_[column].cells);
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

void CsvReader::refuse(const File& file, const char* row, std::size_t column, const Field& field) {
  const CsvName& name = header_.columns()[column];
  Cells& own = columns_[column];
  const std::string place = fmt::format("{}, line {}, column '{}': '{}'", file.scanner.path(),
                                        file.scanner.line(row), name.name, shown(field.text));
  if (name.asked) {
    throw DataError(2010, fmt::format("{} is not {}, which the {}; correct the cell or leave it "
                                      "empty",
                                      place, article_name(*name.asked),
                                      name.by_model ? "model was trained on" : "schema asks for"));
  }
  own.surprise = fmt::format("{} is not {}", place, article_name(own.type));
  own.cells = UnknownCells{};
  std::get<UnknownCells>(own.cells).append(field);
}

CsvFindings CsvReader::sample() {
  CsvFindings found;
  for (auto& file : files_) {
    if (!file.samples) continue;
    limit(file, {file.first_row, file.bytes.size()});
    found.rows += read_rows(file, kSampledRows);
    found.bytes += file.scanner.position() - (file.bytes.data() + file.first_row);
  }
  for (const auto& column : columns_) {
    found.kinds.push_back(std::get<UnknownCells>(column.cells).kinds);
  }
  found.surprises.resize(columns_.size());
  return found;
}

std::int64_t CsvReader::expected_rows(const CsvFindings& sampled) const {
  if (sampled.bytes == 0) return 0;
  std::size_t bytes = 0;
  for (const auto& file : files_) bytes += file.part.to - file.part.from;
  const double a_row = static_cast<double>(sampled.bytes) / static_cast<double>(sampled.rows);
  return static_cast<std::int64_t>(static_cast<double>(bytes) / a_row * 1.02) + 16;
}

std::int64_t CsvReader::pass() {
  std::int64_t rows = 0;
  for (auto& file : files_) {
    limit(file, file.part);
    rows += read_rows(file, kAllRows);
  }
  return rows;
}

CsvFindings CsvReader::read(const CsvFindings& sampled) {
  GRADATIM_CHECK(sampled.rows > 0, DataError, 2009, "{} names its columns, but has no rows",
                 files_.front().scanner.path());
  const std::int64_t room = expected_rows(sampled);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Cells& column = columns_[i];
    const auto asked = header_.columns()[i].asked;
    column.type = asked.value_or(narrowest_type(sampled.kinds[i]));
    const bool known = asked || is_settled(sampled.kinds[i]);
    column.cells = known ? cells_for(column.type, asked.has_value(), room) : UnknownCells{};
  }
  rows_ = pass();
  CsvFindings found{.rows = rows_, .kinds = sampled.kinds};
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto* unknown = std::get_if<UnknownCells>(&columns_[i].cells);
    if (unknown != nullptr)
      found.kinds[i] = static_cast<CellKinds>(found.kinds[i] | unknown->kinds);
    found.surprises.push_back(columns_[i].surprise);
  }
  return found;
}

std::vector<Column> CsvReader::take(const CsvFindings& all) {
  const auto taken = [&](std::size_t i) {
    return std::visit([&](auto& cells) { return cells.take(header_.columns()[i].name); },
                      columns_[i].cells);
  };
  // Columns that broke their guess, here or for another reader, or showed no value to guess by.
  std::vector<std::optional<Column>> done(columns_.size());
  bool again = false;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Cells& column = columns_[i];
    const CellType type = header_.columns()[i].asked.value_or(narrowest_type(all.kinds[i]));
    if (std::holds_alternative<UnknownCells>(column.cells) || column.type != type) {
      column.cells = cells_for(type, false, rows_);
      again = true;
    } else {
      done[i] = taken(i);
      column.cells = SkippedCells{};
    }
  }
  if (again) pass();
  std::vector<Column> columns;
  columns.reserve(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    columns.push_back(done[i] ? std::move(*done[i]) : taken(i));
  }
  return columns;
}

void CsvReader::warn(const CsvFindings& all, std::span<const Column> columns) const {
  if (options_.observer == nullptr) return;
  warn_of_categories(header_.columns(), all, columns, *options_.observer);
}

Table read_csv(std::span<const std::string> paths, const ReadOptions& options, char separator) {
  std::vector<std::unique_ptr<TextFile>> maps;
  CsvReader reader(options);
  for (const auto& path : paths) {
    maps.push_back(std::make_unique<TextFile>(path));
    check_text(maps.back()->bytes(), path);
    reader.add(maps.back()->bytes(), path, separator);
  }
  return read_whole(reader, paths.front());
}

Table parse_csv(std::string_view text, const std::string& name, const ReadOptions& options,
                char separator) {
  CsvReader reader(options);
  check_text(text, name);
  reader.add(text, name, separator);
  return read_whole(reader, name);
}

}  // namespace gradatim::data
