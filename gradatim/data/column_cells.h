// Internal to columns: how cells of any storage, dense or sparse, are read.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "gradatim/data/table.h"

namespace gradatim::data::internal {

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

inline bool bit_at(const void* bits, std::int64_t index) {
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

// Absent cells everywhere, then the entries that lie in the range.
template <class T, class Out, class Convert>
void scatter_entries(const Chunk& chunk, std::int64_t begin, std::span<Out> out, Out absent,
                     Convert convert) {
  std::fill(out.begin(), out.end(), absent);
  const auto end = begin + static_cast<std::int64_t>(out.size());
  const auto* entry = std::lower_bound(chunk.entry_rows, chunk.entry_rows + chunk.entries,
                                       static_cast<std::uint32_t>(begin));
  for (auto i = entry - chunk.entry_rows; i < chunk.entries && chunk.entry_rows[i] < end; ++i) {
    T raw;
    std::memcpy(&raw, static_cast<const char*>(chunk.data) + i * chunk.stride, sizeof(T));
    out[static_cast<std::size_t>(chunk.entry_rows[i] - begin)] = convert(raw);
  }
}

}  // namespace gradatim::data::internal
