// Column::take: the cells at given rows, copied.
#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "gradatim/data/column_cells.h"
#include "gradatim/data/sparse.h"
#include "gradatim/data/table.h"

namespace gradatim::data {
namespace {

using internal::bit_at;

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

}  // namespace

Column Column::take(std::span<const std::int64_t> rows) const {
  if (sparse()) return take_entries(*this, rows);
  const bool bits = storage_ == Storage::bit;
  auto owner = std::make_shared<Gathered>();
  const auto width = internal::with_cell_type(storage_, [&](auto type) {
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

}  // namespace gradatim::data
