#include "gradatim/data/cell.h"

#include <algorithm>

#include "gradatim/core/text.h"
#include "gradatim/data/time_text.h"

namespace gradatim::data {
namespace {

constexpr long long kExact = 1LL << 53;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

std::string_view without_sign(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  return text;
}

}  // namespace

bool is_missing_word(std::string_view text) {
  switch (text.size()) {
    case 0: return true;
    case 1: return text[0] == '?';
    case 2: return text == "NA";
    case 3: return text == "NaN" || text == "nan" || text == "N/A" || text == "n/a";
    case 4:
      return text == "null" || text == "NULL" || text == "None" || text == "<NA>" || text == "#N/A";
    default: return false;
  }
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (equals_ignoring_case(text, "true")) return true;
  if (equals_ignoring_case(text, "false")) return false;
  return std::nullopt;
}

std::optional<double> parse_cell_number(std::string_view text) {
  const std::string_view digits = without_sign(text);
  if (digits.empty()) return std::nullopt;
  const bool number = is_digit(digits[0]) || (digits[0] == '.' && digits.size() > 1);
  const bool infinite =
      equals_ignoring_case(digits, "inf") || equals_ignoring_case(digits, "infinity");
  if (!number && !infinite) return std::nullopt;
  return parse_number(text);
}

bool is_code(std::string_view text) {
  const std::string_view digits = without_sign(text);
  return digits.size() > 1 && digits[0] == '0' &&
         std::all_of(digits.begin(), digits.end(), is_digit);
}

CellKind cell_kind(std::string_view text) {
  if (is_missing_word(text)) return CellKind::missing;
  if (is_code(text)) return CellKind::code;
  if (text == "-0") return CellKind::decimal;  // an integer has no sign of zero to keep
  if (const auto integer = parse_integer(text)) {
    return *integer >= -kExact && *integer <= kExact ? CellKind::integer : CellKind::big_integer;
  }
  const std::string_view digits = without_sign(text);
  if (!digits.empty() && std::all_of(digits.begin(), digits.end(), is_digit)) {
    return CellKind::big_integer;
  }
  if (parse_cell_number(text)) return CellKind::decimal;
  if (parse_boolean(text)) return CellKind::boolean;
  if (parse_date(text)) return CellKind::date;
  if (parse_timestamp(text)) return CellKind::timestamp;
  return CellKind::word;
}

CellType narrowest_type(CellKinds kinds) {
  auto only = [kinds](auto... allowed) {
    return (kinds & ~(static_cast<unsigned>(allowed) | ...)) == 0U;
  };
  auto has = [kinds](CellKind kind) { return (kinds & static_cast<unsigned>(kind)) != 0U; };
  if (kinds == 0) return {};
  if (only(CellKind::boolean)) return {ColumnType::boolean};
  if (only(CellKind::integer)) return {ColumnType::integer};
  if (only(CellKind::integer, CellKind::big_integer, CellKind::decimal) && has(CellKind::decimal)) {
    return {ColumnType::numeric};
  }
  if (only(CellKind::date)) return {ColumnType::integer, TimeUnit::days};
  if (only(CellKind::date, CellKind::timestamp)) {
    return {ColumnType::integer, TimeUnit::microseconds};
  }
  return {ColumnType::categorical};
}

bool is_settled(CellKinds kinds) {
  constexpr auto kBig = static_cast<unsigned>(CellKind::big_integer);
  constexpr auto kIntegers = kBig | static_cast<unsigned>(CellKind::integer);
  const bool big_integers = (kinds & kBig) != 0U && (kinds & ~kIntegers) == 0U;
  return kinds != 0 && !big_integers;
}

}  // namespace gradatim::data
