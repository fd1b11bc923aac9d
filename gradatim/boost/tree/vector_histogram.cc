#include "gradatim/boost/tree/vector_histogram.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/boost/tree/vector_histogram.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::boost::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// kLanes is the number of lanes, or 0 where only `lanes` knows it.
template <int kLanes, class Bin>
void add(const Bin* bins, std::int64_t positions, std::int64_t stride, const std::uint32_t* rows,
         std::int64_t count, const std::int64_t* values, int lanes, std::int64_t* cells) {
  constexpr std::int64_t kAhead = 8;
  constexpr int kWidth = kLanes > 0 && kLanes % 8 == 0 ? 8 : 4;
  const hn::CappedTag<std::int64_t, kWidth> d;
  const auto step = static_cast<int>(hn::Lanes(d));
  if constexpr (kLanes > 0) lanes = kLanes;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t ahead = std::min(i + kAhead, count - 1);
    __builtin_prefetch(bins + std::int64_t{rows[ahead]} * positions);
    const Bin* row = bins + std::int64_t{rows[i]} * positions;
    const std::int64_t* value = values + i * lanes;
    std::int64_t* feature = cells;
    for (std::int64_t p = 0; p < positions; ++p) {
      std::int64_t* cell = feature + std::int64_t{row[p]} * lanes;
      for (int l = 0; l < lanes; l += step) {
        hn::StoreU(hn::Add(hn::LoadU(d, cell + l), hn::LoadU(d, value + l)), d, cell + l);
      }
      feature += stride * lanes;
    }
  }
}

template <class Bin>
void add_lanes(const Bin* bins, std::int64_t positions, std::int64_t stride,
               const std::uint32_t* rows, std::int64_t count, const std::int64_t* values, int lanes,
               std::int64_t* cells) {
  if (lanes == 4) return add<4>(bins, positions, stride, rows, count, values, lanes, cells);
  if (lanes == 8) return add<8>(bins, positions, stride, rows, count, values, lanes, cells);
  if (lanes == 12) return add<12>(bins, positions, stride, rows, count, values, lanes, cells);
  if (lanes == 16) return add<16>(bins, positions, stride, rows, count, values, lanes, cells);
  return add<0>(bins, positions, stride, rows, count, values, lanes, cells);
}

void add_bytes(const std::uint8_t* bins, std::int64_t positions, std::int64_t stride,
               const std::uint32_t* rows, std::int64_t count, const std::int64_t* values, int lanes,
               std::int64_t* cells) {
  add_lanes(bins, positions, stride, rows, count, values, lanes, cells);
}

void add_words(const std::uint16_t* bins, const std::uint32_t* rows, std::int64_t count,
               const std::int64_t* values, int lanes, std::int64_t* cells) {
  add_lanes(bins, 1, 0, rows, count, values, lanes, cells);
}

}  // namespace gradatim::boost::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::boost {

HWY_EXPORT(add_bytes);
HWY_EXPORT(add_words);

void add_vectors(const BinGroup& group, std::span<const std::uint32_t> rows,
                 const std::int64_t* values, int lanes, std::int64_t* cells) {
  HWY_DYNAMIC_DISPATCH(add_bytes)
  (group.bins.data(), group.positions, group.stride, rows.data(),
   static_cast<std::int64_t>(rows.size()), values, lanes, cells);
}

void add_vectors(const BinColumn& column, std::span<const std::uint32_t> rows,
                 const std::int64_t* values, int lanes, std::int64_t* cells) {
  HWY_DYNAMIC_DISPATCH(add_words)
  (column.as<std::uint16_t>(), rows.data(), static_cast<std::int64_t>(rows.size()), values, lanes,
   cells);
}

}  // namespace gradatim::boost
#endif
