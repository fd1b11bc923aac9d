// Rows of a table as samples: every numeric column is one number of them.
#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/convert.h"
#include "gradatim/data/message.h"
#include "gradatim/data/reader.h"
#include "gradatim/data/samples/parts.h"

namespace gradatim::data {
namespace {

constexpr std::string_view kLabelColumn = "label";

// Labels as they are written; whole numbers without a decimal point.
std::vector<std::string> label_words(const Column& column, const Table& table) {
  const std::string name = describe_column(column.name(), table.source());
  std::vector<std::string> words(static_cast<std::size_t>(column.rows()));
  for (std::int64_t row = 0; row < column.rows(); ++row) {
    std::string word = column.cell(row);
    GRADATIM_CHECK(!word.empty(), DataError, 2075,
                   "{}, row {}: the label is missing; write one, or leave the row out", name,
                   row + 1);
    if (column.type() == ColumnType::numeric) {
      const auto number = parse_number(word).value_or(NAN);
      GRADATIM_CHECK(number == std::floor(number) && std::abs(number) <= 9007199254740992.0,
                     DataError, 2075,
                     "{}, row {}: a label is a whole number or a word, not {}; if the column holds "
                     "no labels, rename it, else round it",
                     name, row + 1, word);
      word = fmt::format("{}", static_cast<std::int64_t>(number));
    }
    words[static_cast<std::size_t>(row)] = std::move(word);
  }
  return words;
}

// Fills numbers [rows, width] at one column.
void read_column(const Column& column, const Table& table, std::size_t place, std::size_t width,
                 std::vector<float>& numbers) {
  const std::string name = describe_column(column.name(), table.source());
  GRADATIM_CHECK(column.type() != ColumnType::categorical, DataError, 2084,
                 "{}: it holds words, such as '{}', but samples are numbers; leave the column out, "
                 "or name it as the label",
                 name, column.categories().empty() ? "" : shown(column.categories().front()));
  std::vector<double> cells(static_cast<std::size_t>(column.rows()));
  column.read(0, cells);
  for (std::size_t row = 0; row < cells.size(); ++row) {
    const auto number = static_cast<float>(cells[row]);
    GRADATIM_CHECK(!std::isnan(number), DataError, 2076,
                   "{}, row {}: the cell is missing, but samples have all their numbers; fill it, "
                   "or leave the row out",
                   name, row + 1);
    GRADATIM_CHECK(std::isfinite(number), DataError, 2076,
                   "{}, row {}: the cell is {}, but samples hold finite numbers up to 3.4e38; "
                   "leave the row out or scale the column",
                   name, row + 1, number_text(cells[row]));
    numbers[row * width + place] = number;
  }
}

const Column* find_labels(const Table& table, const SamplesOptions& options) {
  if (!options.label.empty()) return &table.column(options.label);
  const Column* found = table.find(kLabelColumn);
  if (found != nullptr && options.observer != nullptr) {
    options.observer->on_warning(
        fmt::format("{} is taken for the labels; rename it if it is a number of the samples",
                    describe_column(kLabelColumn, table.source())));
  }
  return found;
}

}  // namespace

Samples read_table_samples(const std::string& source, const SamplesOptions& options) {
  const Table table = read_table(source, {.observer = options.observer});
  const Column* labels = find_labels(table, options);
  std::vector<const Column*> features;
  for (const auto& column : table.columns()) {
    if (&column != labels) features.push_back(&column);
  }
  GRADATIM_CHECK(!features.empty(), DataError, 2084,
                 "{} has no column beside the labels; add columns of numbers", source);
  Samples samples{.shape = {static_cast<std::int64_t>(features.size())}, .count = table.rows()};
  samples.numbers.resize(static_cast<std::size_t>(table.rows()) * features.size());
  for (std::size_t i = 0; i < features.size(); ++i) {
    samples.columns.push_back(features[i]->name());
    read_column(*features[i], table, i, features.size(), samples.numbers);
  }
  if (labels != nullptr) {
    set_labels(samples, label_words(*labels, table), describe_column(labels->name(), source));
  }
  return samples;
}

}  // namespace gradatim::data
