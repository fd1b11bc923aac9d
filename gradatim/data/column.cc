#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/table.h"
#include "gradatim/data/time_text.h"

namespace gradatim::data {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Calls f with a value of the C++ type of the cells; `byte` is a boolean, `bit` is never asked for.
template <class F>
auto with_cell_type(Storage storage, F f) {
  switch (storage) {
    case Storage::f32: return f(float{});
    case Storage::f64: return f(double{});
    case Storage::i8: return f(std::int8_t{});
    case Storage::i16: return f(std::int16_t{});
    case Storage::i32: return f(std::int32_t{});
    case Storage::i64: return f(std::int64_t{});
    case Storage::u16: return f(std::uint16_t{});
    case Storage::u32: return f(std::uint32_t{});
    case Storage::u64: return f(std::uint64_t{});
    default: return f(std::uint8_t{});
  }
}

bool bit_at(const void* bits, std::int64_t index) {
  return (static_cast<const std::uint8_t*>(bits)[index >> 3] >> (index & 7) & 1) != 0;
}

// Cells may be unaligned (a column of a packed record array), so every load is a memcpy; a constant
// stride lets the compiler vectorise the common case.
template <class T, class Out, class Convert>
void copy_cells(const char* cell, std::int64_t stride, std::span<Out> out, Convert convert) {
  auto copy = [&](auto step) {
    for (auto& value : out) {
      T raw;
      std::memcpy(&raw, cell, sizeof(T));
      value = convert(raw);
      cell += step;
    }
  };
  if (stride == static_cast<std::int64_t>(sizeof(T))) {
    copy(std::integral_constant<std::int64_t, sizeof(T)>{});
  } else {
    copy(stride);
  }
}

template <class Out>
void mask_nulls(const Chunk& chunk, std::int64_t begin, std::span<Out> out, Out missing) {
  if (chunk.validity == nullptr) return;
  const auto count = static_cast<std::int64_t>(out.size());
  const std::int64_t first = chunk.validity_offset + begin;
  std::int64_t i = 0;
  while (i < count) {
    const std::int64_t bit = first + i;
    const bool whole_byte = (bit & 7) == 0 && count - i >= 8;
    if (whole_byte && chunk.validity[bit >> 3] == 0xFF) {
      i += 8;
      continue;
    }
    if (!bit_at(chunk.validity, bit)) out[static_cast<std::size_t>(i)] = missing;
    ++i;
  }
}

// Calls f(chunk, first cell in the chunk, offset in the whole, number of cells) over a range.
template <class F>
void for_chunks(std::span<const Chunk> chunks, std::int64_t begin, std::int64_t count, F f) {
  std::int64_t done = 0;
  for (const auto& chunk : chunks) {
    if (begin < chunk.rows) {
      const std::int64_t here = std::min(count - done, chunk.rows - begin);
      if (here <= 0) return;
      f(chunk, begin, done, here);
      done += here;
      begin = 0;
    } else {
      begin -= chunk.rows;
    }
  }
}

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
  for_chunks(chunks_, begin, static_cast<std::int64_t>(out.size()),
             [&](const Chunk& chunk, std::int64_t first, std::int64_t at, std::int64_t count) {
               auto part =
                   out.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(count));
               if (storage_ == Storage::bit) {
                 std::int64_t bit = chunk.bit_offset + first;
                 for (auto& value : part) value = bit_at(chunk.data, bit++) ? 1 : 0;
               } else {
                 const char* cell = static_cast<const char*>(chunk.data) + first * chunk.stride;
                 with_cell_type(storage_, [&](auto type) {
                   copy_cells<decltype(type)>(cell, chunk.stride, part, convert);
                 });
               }
               mask_nulls(chunk, first, part, missing);
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

Column Column::with_time_unit(TimeUnit unit) const {
  Column copy = *this;
  copy.time_unit_ = unit;
  return copy;
}

namespace {

// Gathered cells: bits become bytes, everything else keeps its storage.
struct Gathered {
  std::vector<char> cells;
  std::vector<std::uint8_t> validity;
};

// The chunk of a row, remembered between calls since rows mostly come in order.
class ChunkFinder {
 public:
  explicit ChunkFinder(std::span<const Chunk> chunks) : chunks_(chunks), starts_(chunks.size()) {
    std::int64_t start = 0;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      starts_[i] = start;
      start += chunks[i].rows;
    }
  }
  // The chunk, and the row's place in it.
  std::pair<const Chunk*, std::int64_t> operator()(std::int64_t row) {
    const std::int64_t place = row - starts_[last_];
    if (place < 0 || place >= chunks_[last_].rows) {
      last_ = static_cast<std::size_t>(std::upper_bound(starts_.begin(), starts_.end(), row) -
                                       starts_.begin() - 1);
    }
    return {&chunks_[last_], row - starts_[last_]};
  }

 private:
  std::span<const Chunk> chunks_;
  std::vector<std::int64_t> starts_;
  std::size_t last_ = 0;
};

template <class T>
void gather(std::span<const Chunk> chunks, std::span<const std::int64_t> rows, bool bits,
            char* out) {
  ChunkFinder find(chunks);
  for (const auto row : rows) {
    const auto [chunk, place] = find(row);
    if (bits) {
      *out = bit_at(chunk->data, chunk->bit_offset + place) ? 1 : 0;
    } else {
      std::memcpy(out, static_cast<const char*>(chunk->data) + place * chunk->stride, sizeof(T));
    }
    out += sizeof(T);
  }
}

void gather_validity(std::span<const Chunk> chunks, std::span<const std::int64_t> rows,
                     std::vector<std::uint8_t>& out) {
  out.assign((rows.size() + 7) / 8, 0);
  ChunkFinder find(chunks);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto [chunk, place] = find(rows[i]);
    if (chunk->validity == nullptr || bit_at(chunk->validity, chunk->validity_offset + place)) {
      out[i >> 3] = static_cast<std::uint8_t>(out[i >> 3] | (1U << (i & 7)));
    }
  }
}

template <class T>
Column owned_column(std::string name, ColumnType type, Storage storage, std::vector<T> cells,
                    std::shared_ptr<const Categories> categories = nullptr) {
  auto owner = std::make_shared<const std::vector<T>>(std::move(cells));
  const Chunk chunk{
      .rows = static_cast<std::int64_t>(owner->size()), .data = owner->data(), .stride = sizeof(T)};
  return {std::move(name), type, storage, {chunk}, owner, std::move(categories)};
}

}  // namespace

Column Column::take(std::span<const std::int64_t> rows) const {
  const bool bits = storage_ == Storage::bit;
  auto owner = std::make_shared<Gathered>();
  const auto width = with_cell_type(storage_, [&](auto type) {
    using T = decltype(type);
    owner->cells.resize(rows.size() * sizeof(T));
    if (!rows.empty()) gather<T>(chunks_, rows, bits, owner->cells.data());
    return static_cast<std::int64_t>(sizeof(T));
  });
  const bool nullable =
      std::any_of(chunks_.begin(), chunks_.end(), [](const Chunk& c) { return c.validity; });
  if (nullable && !rows.empty()) gather_validity(chunks_, rows, owner->validity);

  const Chunk chunk{.rows = static_cast<std::int64_t>(rows.size()),
                    .data = owner->cells.data(),
                    .stride = width,
                    .validity = owner->validity.empty() ? nullptr : owner->validity.data()};
  Column taken(name_, type_, bits ? Storage::byte : storage_, {chunk}, owner, categories_);
  return taken.with_time_unit(time_unit_);
}

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
