#include "gradatim/data/csv_cells.h"

#include <limits>
#include <optional>
#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/time_text.h"

namespace gradatim::data {
namespace {

constexpr std::int64_t kExact = std::int64_t{1} << 53;
constexpr std::uint8_t kMissingBoolean = 0xFF;

// Up to 15 plain digits, which is what most cells of most tables hold.
std::optional<std::int64_t> short_integer(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > 15) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return negative ? -value : value;
}

std::optional<std::int64_t> any_integer(std::string_view text) {
  if (text == "-0") return std::nullopt;  // a decimal, which keeps its sign
  if (const auto value = short_integer(text)) return value;
  if (const auto value = parse_integer(text)) return *value;
  return std::nullopt;
}

bool is_lead_of_code(std::string_view text) {
  return text.size() > 1 &&
         (text[0] == '0' || ((text[0] == '-' || text[0] == '+') && text[1] == '0'));
}

}  // namespace

bool UnknownCells::append(const Field& field) {
  kinds = static_cast<CellKinds>(kinds | static_cast<CellKinds>(cell_kind(field.text)));
  return true;
}

bool NumericCells::append(const Field& field) {
  if (is_missing_word(field.text)) {
    cells.push_back(std::numeric_limits<double>::quiet_NaN());
    return true;
  }
  if (!lenient && is_lead_of_code(field.text) && is_code(field.text)) return false;
  auto value = parse_cell_number(field.text);
  if (!value && lenient) {
    if (const auto truth = parse_boolean(field.text)) value = *truth ? 1.0 : 0.0;
  }
  if (!value) return false;
  cells.push_back(*value);
  return true;
}

bool IntegerCells::append(const Field& field) {
  if (is_missing_word(field.text)) {
    cells.push_back(kMissingInteger);
    return true;
  }
  if (!lenient && is_lead_of_code(field.text) && is_code(field.text)) return false;
  const auto value = any_integer(field.text);
  if (!value || *value == kMissingInteger) return false;
  if (!lenient && (*value > kExact || *value < -kExact)) return false;
  cells.push_back(*value);
  return true;
}

bool BooleanCells::append(const Field& field) {
  if (is_missing_word(field.text)) {
    cells.push_back(kMissingBoolean);
    return true;
  }
  auto truth = parse_boolean(field.text);
  if (!truth && lenient && (field.text == "0" || field.text == "1")) truth = field.text == "1";
  if (!truth) return false;
  cells.push_back(*truth ? 1 : 0);
  return true;
}

bool TimeCells::append(const Field& field) {
  if (is_missing_word(field.text)) {
    cells.push_back(kMissingInteger);
    return true;
  }
  const auto parse = unit != TimeUnit::days ? parse_timestamp : lenient ? parse_day : parse_date;
  const auto value = parse(field.text);
  if (!value) return false;
  cells.push_back(*value);
  return true;
}

bool WordCells::append(const Field& field) {
  // "NA" in quotes is Namibia; NA without is a missing cell.
  const bool missing = is_missing_word(field.text) && !(field.quoted && !field.text.empty());
  codes.push_back(missing ? -1 : words->code(field.text));
  return true;
}

Column UnknownCells::take(std::string name) { return numeric_column(std::move(name), {}); }
Column SkippedCells::take(std::string name) { return numeric_column(std::move(name), {}); }
Column NumericCells::take(std::string name) {
  return numeric_column(std::move(name), std::move(cells));
}
Column IntegerCells::take(std::string name) {
  return integer_column(std::move(name), std::move(cells));
}
Column BooleanCells::take(std::string name) {
  return boolean_column(std::move(name), std::move(cells));
}
Column TimeCells::take(std::string name) {
  return integer_column(std::move(name), std::move(cells)).with_time_unit(unit);
}
Column WordCells::take(std::string name) {
  return categorical_column(std::move(name), std::move(codes), words->take());
}

CsvCells cells_for(CellType type, bool lenient, std::int64_t rows) {
  auto with_room = [rows](auto cells, auto list) {
    (cells.*list).reserve(static_cast<std::size_t>(rows));
    return CsvCells(std::move(cells));
  };
  if (type.time_unit != TimeUnit::none) {
    return with_room(TimeCells{.unit = type.time_unit, .lenient = lenient}, &TimeCells::cells);
  }
  switch (type.type) {
    case ColumnType::integer:
      return with_room(IntegerCells{.lenient = lenient}, &IntegerCells::cells);
    case ColumnType::boolean:
      return with_room(BooleanCells{.lenient = lenient}, &BooleanCells::cells);
    case ColumnType::categorical: return with_room(WordCells{}, &WordCells::codes);
    default: return with_room(NumericCells{.lenient = lenient}, &NumericCells::cells);
  }
}

}  // namespace gradatim::data
