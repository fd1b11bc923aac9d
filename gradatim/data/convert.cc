#include "gradatim/data/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/dictionary.h"
#include "gradatim/data/message.h"
#include "gradatim/data/time_text.h"

namespace gradatim::data {
namespace {

constexpr std::int64_t kBlock = 4096;
constexpr std::int64_t kMicrosecondsADay = 86'400'000'000;

// Calls f(first row, values) over the whole column.
template <class T, class Read, class F>
void for_blocks(const Column& column, Read read, F f) {
  std::vector<T> buffer(static_cast<std::size_t>(std::min(kBlock, column.rows())));
  for (std::int64_t begin = 0; begin < column.rows(); begin += kBlock) {
    const auto count = static_cast<std::size_t>(std::min(kBlock, column.rows() - begin));
    const std::span<T> values = std::span(buffer).first(count);
    (column.*read)(begin, values);
    f(begin, std::span<const T>(values));
  }
}

[[noreturn]] void does_not_fit(const Column& column, std::int64_t row, CellType type,
                               const std::string& source, const std::string& asker,
                               std::int64_t first_row) {
  throw DataError(
      2010, fmt::format("{}row {}, column '{}': '{}' is not {}, which the {}; correct the cell or "
                        "leave it empty",
                        source.empty() ? "" : source + ", ", first_row + row + 1, column.name(),
                        shown(column.cell(row)), article_name(type), asker));
}

// Words of numbers: the text of each distinct value is made once.
// The same for a float32 and for the float64 of its value: fractions are as short as float32 tells
// them apart.
std::string word_of(const Column& column, std::int64_t row) {
  if (column.type() != ColumnType::numeric) return column.cell(row);
  double x = 0.0;
  column.read(row, {&x, 1});
  const auto narrow = static_cast<float>(x);
  const bool fraction = std::trunc(x) != x && double{narrow} == x;
  return fraction ? fmt::format("{}", narrow) : number_text(x);
}

Column as_words(const Column& column) {
  Dictionary words;
  std::vector<std::int32_t> codes;
  codes.reserve(static_cast<std::size_t>(column.rows()));
  auto encode = [&](auto read, auto is_missing, auto example) {
    using T = decltype(example);
    std::unordered_map<T, std::int32_t> known;
    for_blocks<T>(column, read, [&](std::int64_t begin, std::span<const T> values) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (is_missing(values[i])) {
          codes.push_back(-1);
          continue;
        }
        const auto [at, added] = known.emplace(values[i], 0);
        if (added) at->second = words.code(word_of(column, begin + static_cast<std::int64_t>(i)));
        codes.push_back(at->second);
      }
    });
  };
  if (column.type() == ColumnType::numeric) {
    encode(
        &Column::read, [](double x) { return std::isnan(x); }, double{});
  } else {
    encode(
        &Column::read_integers, [](std::int64_t x) { return x == kMissingInteger; },
        std::int64_t{});
  }
  return categorical_column(column.name(), std::move(codes), words.take());
}

std::optional<double> value_of_word(const std::string& word, CellType type) {
  if (is_missing_word(word)) return std::numeric_limits<double>::quiet_NaN();
  if (type.time_unit == TimeUnit::days) {
    const auto days = parse_day(word);
    return days ? std::optional(static_cast<double>(*days)) : std::nullopt;
  }
  if (type.time_unit == TimeUnit::microseconds) {
    const auto time = parse_timestamp(word);
    return time ? std::optional(static_cast<double>(*time)) : std::nullopt;
  }
  if (const auto truth = parse_boolean(word)) return *truth ? 1.0 : 0.0;
  const auto number = parse_cell_number(word);
  const bool whole = !number || (std::trunc(*number) == *number && std::isfinite(*number));
  if (type.type == ColumnType::integer && !whole) return std::nullopt;
  if (type.type == ColumnType::boolean && number && *number != 0 && *number != 1) {
    return std::nullopt;
  }
  return number;
}

// A column of doubles as the type that was asked for.
Column as_type(std::string name, std::vector<double> values, CellType type) {
  if (type.type == ColumnType::numeric) return numeric_column(std::move(name), std::move(values));
  if (type.type == ColumnType::boolean) {
    std::vector<std::uint8_t> cells(values.size());
    std::transform(values.begin(), values.end(), cells.begin(),
                   [](double x) -> std::uint8_t { return std::isnan(x) ? 0xFF : x != 0; });
    return boolean_column(std::move(name), std::move(cells));
  }
  std::vector<std::int64_t> cells(values.size());
  std::transform(values.begin(), values.end(), cells.begin(), [](double x) {
    return std::isnan(x) ? kMissingInteger : static_cast<std::int64_t>(x);
  });
  return integer_column(std::move(name), std::move(cells)).with_time_unit(type.time_unit);
}

Column words_as(const Column& column, CellType type, const std::string& source,
                const std::string& asker, std::int64_t first_row) {
  std::vector<std::optional<double>> value_of_code;
  for (const auto& word : column.categories()) value_of_code.push_back(value_of_word(word, type));
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(column.rows()));
  for_blocks<std::int32_t>(
      column, &Column::read_codes, [&](std::int64_t begin, std::span<const std::int32_t> codes) {
        for (std::size_t i = 0; i < codes.size(); ++i) {
          std::optional<double> value = std::numeric_limits<double>::quiet_NaN();
          if (codes[i] >= 0) value = value_of_code[static_cast<std::size_t>(codes[i])];
          if (!value) {
            does_not_fit(column, begin + static_cast<std::int64_t>(i), type, source, asker,
                         first_row);
          }
          values.push_back(*value);
        }
      });
  return as_type(column.name(), std::move(values), type);
}

Column in_unit(const Column& column, TimeUnit unit) {
  std::vector<std::int64_t> cells(static_cast<std::size_t>(column.rows()));
  column.read_integers(0, cells);
  for (auto& cell : cells) {
    if (cell == kMissingInteger) continue;
    if (unit == TimeUnit::microseconds) {
      // Days beyond the calendar would overflow, and mean nothing as times.
      const std::int64_t most = std::numeric_limits<std::int64_t>::max() / kMicrosecondsADay;
      cell = cell < -most || cell > most ? kMissingInteger : cell * kMicrosecondsADay;
    } else {
      cell = cell / kMicrosecondsADay - (cell % kMicrosecondsADay < 0 ? 1 : 0);
    }
  }
  return integer_column(column.name(), std::move(cells)).with_time_unit(unit);
}

// Numbers as integers or booleans, where every value is one.
Column narrowed(const Column& column, CellType type, const std::string& source,
                const std::string& asker, std::int64_t first_row) {
  std::vector<double> values(static_cast<std::size_t>(column.rows()));
  column.read(0, values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = values[i];
    const bool fits = std::isnan(x) || (type.type == ColumnType::boolean
                                            ? x == 0 || x == 1
                                            : std::trunc(x) == x && std::fabs(x) < 0x1p63);
    if (!fits) does_not_fit(column, static_cast<std::int64_t>(i), type, source, asker, first_row);
  }
  return as_type(column.name(), std::move(values), type);
}

// Writers spell numbers and truths differently: "1.0" and "1", "True" and "true". Empty for other
// words, for codes such as 007, and for integers that a double rounds.
std::string plain_spelling(const std::string& word) {
  if (const auto truth = parse_boolean(word)) return *truth ? "true" : "false";
  const auto number = is_code(word) ? std::nullopt : parse_cell_number(word);
  return number && std::abs(*number) < 0x1p53 ? number_text(*number + 0.0) : "";
}

// Codes of words that are known only in another spelling, where one alone is.
void find_other_spellings(const Categories& own, const Categories& known,
                          std::vector<std::int32_t>& codes) {
  constexpr std::int32_t kSeveral = -2;
  std::unordered_map<std::string, std::int32_t> by_spelling;
  for (std::size_t k = 0; k < known.size(); ++k) {
    const std::string plain = plain_spelling(known[k]);
    if (plain.empty()) continue;
    const auto [at, added] = by_spelling.emplace(plain, static_cast<std::int32_t>(k));
    if (!added) at->second = kSeveral;
  }
  if (by_spelling.empty()) return;
  for (std::size_t k = 0; k < own.size(); ++k) {
    if (codes[k] >= 0) continue;
    const auto found = by_spelling.find(plain_spelling(own[k]));
    if (found != by_spelling.end() && found->second != kSeveral) codes[k] = found->second;
  }
}

}  // namespace

Column convert(const Column& column, CellType type, const std::string& source,
               const std::string& asker, std::int64_t first_row) {
  const CellType own{column.type(), column.time_unit()};
  if (own == type) return column;
  if (type.type == ColumnType::categorical) return as_words(column);
  if (own.type == ColumnType::categorical) return words_as(column, type, source, asker, first_row);
  const bool times = own.time_unit != TimeUnit::none;
  if (times && type.time_unit != TimeUnit::none) return in_unit(column, type.time_unit);
  GRADATIM_CHECK(times == (type.time_unit != TimeUnit::none), DataError, 2010,
                 "{} holds {}, not {}, which the {}; convert it",
                 describe_column(column.name(), source), times ? "times" : "numbers",
                 article_name(type), asker);
  if (type.type == ColumnType::numeric || own.type == ColumnType::boolean) {
    std::vector<double> values(static_cast<std::size_t>(column.rows()));
    column.read(0, values);
    return as_type(column.name(), std::move(values), type);
  }
  return narrowed(column, type, source, asker, first_row);
}

std::vector<std::int32_t> codes_among(const Categories& words, const Categories& known) {
  const Dictionary dictionary(known);
  std::vector<std::int32_t> codes;
  codes.reserve(words.size());
  for (const auto& word : words) codes.push_back(dictionary.find(word));
  if (std::ranges::count(codes, -1) > 0) find_other_spellings(words, known, codes);
  return codes;
}

Column recode(const Column& column, std::shared_ptr<const Categories> categories) {
  const Categories& own = column.categories();
  if (column.shared_categories() == categories || own == *categories) return column;
  const std::vector<std::int32_t> new_code = codes_among(own, *categories);
  auto codes = std::make_shared<std::vector<std::int32_t>>(static_cast<std::size_t>(column.rows()));
  column.read_codes(0, *codes);
  for (auto& code : *codes) code = code < 0 ? -1 : new_code[static_cast<std::size_t>(code)];
  const Chunk chunk{.rows = column.rows(), .data = codes->data(), .stride = 4};
  return {column.name(), ColumnType::categorical, Storage::i32, {chunk},
          codes,         std::move(categories)};
}

}  // namespace gradatim::data
