#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/column_cells.h"
#include "gradatim/data/table.h"
#include "gradatim/data/time_text.h"

namespace gradatim::data {
namespace {

using internal::bit_at;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

template <class T>
std::int64_t as_integer(T raw) {
  if constexpr (std::is_floating_point_v<T>) {
    const bool fits = raw > T{-0x1p63} && raw < T{0x1p63};  // false for NaN
    return fits ? static_cast<std::int64_t>(raw) : kMissingInteger;
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    return static_cast<std::int64_t>(std::min<T>(raw, std::numeric_limits<std::int64_t>::max()));
  } else {
    return raw;
  }
}

}  // namespace

Column::Column(std::string name, ColumnType type, Storage storage, std::vector<Chunk> chunks,
               std::shared_ptr<const void> owner, std::shared_ptr<const Categories> categories)
    : name_(std::move(name)),
      type_(type),
      storage_(storage),
      chunks_(std::move(chunks)),
      owner_(std::move(owner)),
      categories_(std::move(categories)) {
  for (const auto& chunk : chunks_) rows_ += chunk.rows;
}

const Categories& Column::categories() const {
  static const Categories none;
  return categories_ ? *categories_ : none;
}

template <class Out, class Convert>
void Column::read_as(std::int64_t begin, std::span<Out> out, Out missing, Convert convert) const {
  GRADATIM_ASSERT(begin >= 0 && begin + static_cast<std::int64_t>(out.size()) <= rows_);
  internal::for_chunks(
      chunks_, begin, static_cast<std::int64_t>(out.size()),
      [&](const Chunk& chunk, std::int64_t first, std::int64_t at, std::int64_t count) {
        auto part = out.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(count));
        if (chunk.sparse) {
          const Out absent = absent_ == Absent::zero ? Out{} : missing;
          internal::with_cell_type(storage_, [&](auto type) {
            internal::scatter_entries<decltype(type)>(chunk, first, part, absent, convert);
          });
        } else if (storage_ == Storage::bit) {
          std::int64_t bit = chunk.bit_offset + first;
          for (auto& value : part) value = bit_at(chunk.data, bit++) ? 1 : 0;
        } else {
          const char* cell = static_cast<const char*>(chunk.data) + first * chunk.stride;
          internal::with_cell_type(storage_, [&](auto type) {
            internal::copy_cells<decltype(type)>(cell, chunk.stride, part, convert);
          });
        }
        internal::mask_nulls(chunk, first, part, missing);
      });
}

void Column::read(std::int64_t begin, std::span<double> out) const {
  if (type_ == ColumnType::categorical) {
    const auto size = static_cast<double>(categories().size());
    return read_as(begin, out, kNaN, [size](auto raw) {
      const auto code = static_cast<double>(raw);
      return code >= 0 && code < size ? code : kNaN;
    });
  }
  if (type_ == ColumnType::boolean) {
    return read_as(begin, out, kNaN, [](auto raw) { return raw <= 1 ? double(raw) : kNaN; });
  }
  // An owned integer column marks missing cells by a value, which no other source uses.
  return read_as(begin, out, kNaN, [](auto raw) {
    if constexpr (std::is_same_v<decltype(raw), std::int64_t>) {
      if (raw == kMissingInteger) return kNaN;
    }
    return static_cast<double>(raw);
  });
}

void Column::read_codes(std::int64_t begin, std::span<std::int32_t> out) const {
  const auto size = static_cast<std::int64_t>(categories().size());
  read_as(begin, out, -1, [size](auto raw) {
    const std::int64_t code = as_integer(raw);
    return code >= 0 && code < size ? static_cast<std::int32_t>(code) : -1;
  });
}

void Column::read_integers(std::int64_t begin, std::span<std::int64_t> out) const {
  const bool boolean = type_ == ColumnType::boolean;
  read_as(begin, out, kMissingInteger, [boolean](auto raw) {
    const std::int64_t value = as_integer(raw);
    return boolean && (value < 0 || value > 1) ? kMissingInteger : value;
  });
}

std::string Column::cell(std::int64_t row) const {
  if (type_ == ColumnType::categorical) {
    std::int32_t code = -1;
    read_codes(row, {&code, 1});
    return code < 0 ? std::string() : (*categories_)[static_cast<std::size_t>(code)];
  }
  if (type_ == ColumnType::numeric) {
    double value = 0.0;
    read(row, {&value, 1});
    if (std::isnan(value)) return {};
    return storage_ == Storage::f32 ? fmt::format("{}", static_cast<float>(value))
                                    : number_text(value);
  }
  std::int64_t value = 0;
  read_integers(row, {&value, 1});
  if (value == kMissingInteger) return {};
  if (type_ == ColumnType::boolean) return value != 0 ? "true" : "false";
  return time_unit_ == TimeUnit::none ? std::to_string(value) : time_text(value, time_unit_);
}

Column Column::renamed(std::string name) const {
  Column copy = *this;
  copy.name_ = std::move(name);
  return copy;
}

Column Column::with_absent(Absent absent) const {
  Column copy = *this;
  copy.absent_ = absent;
  return copy;
}

Column Column::with_time_unit(TimeUnit unit) const {
  Column copy = *this;
  copy.time_unit_ = unit;
  return copy;
}

namespace {

template <class T>
Column owned_column(std::string name, ColumnType type, Storage storage, std::vector<T> cells,
                    std::shared_ptr<const Categories> categories = nullptr) {
  auto owner = std::make_shared<const std::vector<T>>(std::move(cells));
  const Chunk chunk{
      .rows = static_cast<std::int64_t>(owner->size()), .data = owner->data(), .stride = sizeof(T)};
  return {std::move(name), type, storage, {chunk}, owner, std::move(categories)};
}

}  // namespace

Column numeric_column(std::string name, std::vector<double> cells) {
  return owned_column(std::move(name), ColumnType::numeric, Storage::f64, std::move(cells));
}

Column integer_column(std::string name, std::vector<std::int64_t> cells) {
  return owned_column(std::move(name), ColumnType::integer, Storage::i64, std::move(cells));
}

Column boolean_column(std::string name, std::vector<std::uint8_t> cells) {
  return owned_column(std::move(name), ColumnType::boolean, Storage::byte, std::move(cells));
}

Column categorical_column(std::string name, std::vector<std::int32_t> codes,
                          Categories categories) {
  return owned_column(std::move(name), ColumnType::categorical, Storage::i32, std::move(codes),
                      std::make_shared<const Categories>(std::move(categories)));
}

}  // namespace gradatim::data
