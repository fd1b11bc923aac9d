#include "gradatim/data/arrow_cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::data {
namespace {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Column shared_cells(const ArrowColumn& column, ColumnType type, FixedWidth fixed) {
  std::vector<Chunk> chunks;
  for (const auto& part : column.parts) {
    if (part.rows == 0) continue;
    chunks.push_back({.rows = part.rows,
                      .data = part.data<char>() + part.first * fixed.width,
                      .stride = fixed.width,
                      .validity = part.validity(),
                      .validity_offset = part.first});
  }
  return {column.name, type, fixed.storage, std::move(chunks), column.owner};
}

Column shared_bits(const ArrowColumn& column) {
  std::vector<Chunk> chunks;
  for (const auto& part : column.parts) {
    if (part.rows == 0) continue;
    chunks.push_back({.rows = part.rows,
                      .data = part.data<char>(),
                      .bit_offset = part.first,
                      .validity = part.validity(),
                      .validity_offset = part.first});
  }
  return {column.name, ColumnType::boolean, Storage::bit, std::move(chunks), column.owner};
}

// Every row is the one missing cell: a stride of zero.
Column all_missing(const ArrowColumn& column) {
  static const double missing = kNaN;
  std::vector<Chunk> chunks;
  for (const auto& part : column.parts) chunks.push_back({.rows = part.rows, .data = &missing});
  return {column.name, ColumnType::numeric, Storage::f64, std::move(chunks), nullptr};
}

// Cells of raw type T, each made into an Out.
template <class T, class Out, class F>
std::vector<Out> copied_cells(const ArrowColumn& column, Out missing, F convert) {
  std::vector<Out> cells;
  for (const auto& part : column.parts) {
    for (std::int64_t row = 0; row < part.rows; ++row) {
      cells.push_back(part.is_null(row) ? missing : convert(part.data<T>()[part.first + row]));
    }
  }
  return cells;
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

double half_to_double(std::uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const double fraction = (half & 1023) * 0x1p-10;
  double value = 0.0;
  if (exponent == 31) {
    value = fraction == 0 ? std::numeric_limits<double>::infinity() : kNaN;
  } else if (exponent == 0) {
    value = fraction * 0x1p-14;
  } else {
    value = (1 + fraction) * std::bit_cast<double>(std::uint64_t(exponent - 15 + 1023) << 52);
  }
  return (half >> 15) != 0 ? -value : value;
}

// As integers: for times they are of the calendar only with a unit.
Column in_microseconds(const ArrowColumn& column, std::int64_t multiply, std::int64_t divide) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  auto cells = copied_cells<std::int64_t>(column, kMissingInteger, [=](std::int64_t x) {
    if (x == kMissingInteger || x > kMost / multiply || x < -(kMost / multiply)) {
      return kMissingInteger;
    }
    return floor_divide(x * multiply, divide);
  });
  return integer_column(column.name, std::move(cells));
}

// Durations and times of day: microseconds, whatever their own unit, which may differ from table
// to table.
Column import_duration(const ArrowColumn& column, char unit) {
  if (unit == 's') return in_microseconds(column, 1'000'000, 1);
  if (unit == 'm') return in_microseconds(column, 1'000, 1);
  if (unit == 'n') return in_microseconds(column, 1, 1'000);
  return shared_cells(column, ColumnType::integer, {Storage::i64, 8});
}

Column import_time(const ArrowColumn& column, std::string_view format) {
  if (format == "tdD") {
    return shared_cells(column, ColumnType::integer, {Storage::i32, 4})
        .with_time_unit(TimeUnit::days);
  }
  if (format == "tdm") {
    auto cells = copied_cells<std::int64_t>(
        column, kMissingInteger, [](std::int64_t x) { return floor_divide(x, 86'400'000); });
    return integer_column(column.name, std::move(cells)).with_time_unit(TimeUnit::days);
  }
  return import_duration(column, format[2]).with_time_unit(TimeUnit::microseconds);
}

std::string decimal_digits(UInt128 value) {
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  return digits;
}

// By its decimal text, which the number reader rounds correctly.
double decimal_value(Int128 value, int scale) {
  const bool negative = value < 0;
  const auto magnitude = negative ? -static_cast<UInt128>(value) : static_cast<UInt128>(value);
  const double number =
      parse_number(fmt::format("{}e{}", decimal_digits(magnitude), -scale)).value_or(kNaN);
  return negative ? -number : number;
}

// "d:precision,scale" of 128 bits, or "d:precision,scale,bits" of 32, 64 or 128.
std::optional<Column> import_decimal(const ArrowColumn& column, std::string_view format) {
  const auto parts = split(format.substr(2), ',');
  const auto scale = parts.size() > 1 ? parse_integer(parts[1]) : std::nullopt;
  const auto bits = parts.size() > 2 ? parse_integer(parts[2]) : std::optional<long long>(128);
  if (!scale || !bits || *scale < -400 || *scale > 400) return std::nullopt;
  const int power = static_cast<int>(*scale);
  auto convert = [power](auto x) { return decimal_value(x, power); };
  std::vector<double> cells;
  if (*bits == 32) {
    cells = copied_cells<std::int32_t>(column, kNaN, convert);
  } else if (*bits == 64) {
    cells = copied_cells<std::int64_t>(column, kNaN, convert);
  } else if (*bits == 128) {
    using Bytes = std::array<char, 16>;  // not aligned as Int128 wants it
    cells = copied_cells<Bytes>(
        column, kNaN, [&](const Bytes& bytes) { return convert(std::bit_cast<Int128>(bytes)); });
  } else {
    return std::nullopt;
  }
  return numeric_column(column.name, std::move(cells));
}

// A name for a person, where the format says it shortly.
std::string_view refused_name(std::string_view format) {
  if (format.substr(0, 2) == "+s") return "a struct";
  if (format.substr(0, 2) == "+m") return "a map";
  if (format.substr(0, 2) == "+u") return "a union";
  if (format.substr(0, 2) == "+r") return "run-end encoded";
  if (format.substr(0, 1) == "+") return "a list";
  if (format == "z" || format == "Z" || format == "vz" || format.substr(0, 2) == "w:") {
    return "binary";
  }
  if (format.substr(0, 2) == "d:") return "a decimal of 256 bits";
  return "of a type that is not known here";
}

}  // namespace

std::optional<FixedWidth> fixed_width(std::string_view format) {
  if (format.size() != 1) return std::nullopt;
  constexpr std::string_view kFormats = "cCsSiIlLfg";
  constexpr FixedWidth kWidths[] = {{Storage::i8, 1},  {Storage::u8, 1},  {Storage::i16, 2},
                                    {Storage::u16, 2}, {Storage::i32, 4}, {Storage::u32, 4},
                                    {Storage::i64, 8}, {Storage::u64, 8}, {Storage::f32, 4},
                                    {Storage::f64, 8}};
  const auto at = kFormats.find(format[0]);
  if (at == std::string_view::npos) return std::nullopt;
  return kWidths[at];
}

Column import_column(const ArrowColumn& column) {
  const std::string_view format = column.schema->format;
  if (column.schema->dictionary != nullptr) return import_dictionary(column);
  if (const auto fixed = fixed_width(format)) {
    const bool real = format == "f" || format == "g";
    return shared_cells(column, real ? ColumnType::numeric : ColumnType::integer, *fixed);
  }
  if (format == "b") return shared_bits(column);
  if (format == "n") return all_missing(column);
  if (format == "u" || format == "U" || format == "vu") return import_text(column);
  if (format == "e") {
    return numeric_column(column.name, copied_cells<std::uint16_t>(column, kNaN, half_to_double));
  }
  if (format == "tdD" || format == "tdm" || format.substr(0, 2) == "ts") {
    return import_time(column, format);
  }
  // Times of day of 32 bits are seconds or thousandths.
  if (format == "tts" || format == "ttm") {
    const std::int64_t unit = format == "tts" ? 1'000'000 : 1'000;
    return integer_column(column.name,
                          copied_cells<std::int32_t>(column, kMissingInteger, [=](std::int32_t x) {
                            return std::int64_t{x} * unit;
                          }));
  }
  if (format == "ttu" || format == "ttn" || format.substr(0, 2) == "tD") {
    return import_duration(column, format[2]);
  }
  if (format.substr(0, 2) == "d:") {
    if (auto decimal = import_decimal(column, format)) return *std::move(decimal);
  }
  throw DataError(2013,
                  fmt::format("{} is {}, which cannot be a column of a table; leave it out "
                              "or convert it",
                              describe_column(column.name, column.source), refused_name(format)));
}

}  // namespace gradatim::data
