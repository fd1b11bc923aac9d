#include "gradatim/data/csv_warnings.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "gradatim/data/cell.h"
#include "gradatim/data/message.h"

namespace gradatim::data {
namespace {

bool has(CellKinds kinds, CellKind kind) { return (kinds & static_cast<CellKinds>(kind)) != 0; }

void warn_of_surprise(const std::string& name, CellKinds kinds, const std::string& surprise,
                      Observer& observer) {
  if (!surprise.empty()) {
    observer.on_warning(surprise +
                        ", so that the whole column is read as categories; a schema decides "
                        "otherwise");
  } else if (has(kinds, CellKind::big_integer) && !has(kinds, CellKind::word)) {
    observer.on_warning(fmt::format(
        "column '{}' has integers beyond 2^53 and is read as categories; a schema decides "
        "otherwise",
        name));
  }
}

// Mostly numbers and a few words: rather a slip than categories.
void warn_of_stray_words(const Column& column, Observer& observer) {
  constexpr std::int64_t kFewestNumbers = 20;
  constexpr std::int64_t kNumbersAWord = 20;
  std::int64_t numbers = 0;
  std::vector<std::string> words;
  for (const auto& word : column.categories()) {
    if (parse_cell_number(word))
      ++numbers;
    else
      words.push_back(word);
  }
  if (words.empty() || numbers < kFewestNumbers ||
      numbers < kNumbersAWord * static_cast<std::int64_t>(words.size())) {
    return;
  }
  observer.on_warning(
      fmt::format("column '{}' has {} different numbers and '{}', so that the whole column is "
                  "read as categories; a schema decides otherwise",
                  column.name(), numbers, shown(words.front())));
}

}  // namespace

void warn_of_categories(std::span<const CsvName> names, const CsvFindings& found,
                        std::span<const Column> columns, Observer& observer) {
  const auto guessed = [&](std::size_t i) {
    return !names[i].asked && columns[i].type() == ColumnType::categorical;
  };
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (guessed(i)) warn_of_surprise(names[i].name, found.kinds[i], found.surprises[i], observer);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (guessed(i) && found.surprises[i].empty()) warn_of_stray_words(columns[i], observer);
  }
}

}  // namespace gradatim::data
