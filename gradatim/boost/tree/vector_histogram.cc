#include "gradatim/boost/tree/vector_histogram.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/boost/tree/vector_histogram.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::boost::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// A vector of a row's lanes.
template <bool kPacked, class D>
hn::Vec<D> load_lanes(D d, const std::int32_t* words) {
  const auto word = hn::PromoteTo(d, hn::LoadU(hn::Rebind<std::int32_t, D>(), words));
  if constexpr (!kPacked) return word;
  // The low half is g, the high one h, which is not negative.
  return hn::Add(hn::ShiftRight<16>(hn::ShiftLeft<48>(word)), hn::ShiftRight<16>(word));
}

/// kLanes is the number of lanes, or 0 where only `values` knows it.
template <int kLanes, bool kPacked, class Bin>
void add(const Bin* bins, std::int64_t positions, std::int64_t features, std::int64_t stride,
         std::span<const std::uint32_t> rows, const LaneRows& values, std::int64_t* cells) {
  constexpr std::size_t kAhead = 8;
  constexpr int kWidth = kLanes > 0 && kLanes % 8 == 0 ? 8 : 4;
  const hn::CappedTag<std::int64_t, kWidth> d;
  const auto step = static_cast<int>(hn::Lanes(d));
  const int lanes = kLanes > 0 ? kLanes : values.lanes;
  const std::size_t count = rows.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t ahead = rows[std::min(i + kAhead, count - 1)];
    __builtin_prefetch(bins + ahead * positions);
    __builtin_prefetch(values.words + ahead * lanes);
    const Bin* row = bins + std::int64_t{rows[i]} * positions;
    const std::int32_t* words = values.words + std::int64_t{rows[i]} * lanes;
    for (int l = 0; l < lanes; l += step) {
      const auto value = load_lanes<kPacked>(d, words + l);
      std::int64_t* feature = cells + l;
      for (std::int64_t p = 0; p < features; ++p) {
        std::int64_t* cell = feature + std::int64_t{row[p]} * lanes;
        hn::StoreU(hn::Add(hn::LoadU(d, cell), value), d, cell);
        feature += stride * lanes;
      }
    }
  }
}

template <bool kPacked, class Bin>
void add_lanes(const Bin* bins, std::int64_t positions, std::int64_t features, std::int64_t stride,
               std::span<const std::uint32_t> rows, const LaneRows& values, std::int64_t* cells) {
  switch (values.lanes) {
    case 4: return add<4, kPacked>(bins, positions, features, stride, rows, values, cells);
    case 8: return add<8, kPacked>(bins, positions, features, stride, rows, values, cells);
    case 12: return add<12, kPacked>(bins, positions, features, stride, rows, values, cells);
    case 16: return add<16, kPacked>(bins, positions, features, stride, rows, values, cells);
    default: return add<0, kPacked>(bins, positions, features, stride, rows, values, cells);
  }
}

void add_bytes(const BinGroup& group, std::span<const std::uint32_t> rows, const LaneRows& values,
               std::int64_t* cells) {
  const auto features = static_cast<std::int64_t>(group.features.size());
  (values.packed ? add_lanes<true, std::uint8_t>
                 : add_lanes<false, std::uint8_t>)(group.bins.data(), group.positions, features,
                                                   group.stride, rows, values, cells);
}

void add_words(const std::uint16_t* bins, std::span<const std::uint32_t> rows,
               const LaneRows& values, std::int64_t* cells) {
  (values.packed ? add_lanes<true, std::uint16_t>
                 : add_lanes<false, std::uint16_t>)(bins, 1, 1, 0, rows, values, cells);
}

template <int kLanes, bool kPacked>
void add_to_one(std::span<const std::uint32_t> rows, const LaneRows& values, std::int64_t* cell) {
  constexpr std::size_t kAhead = 16;
  const hn::CappedTag<std::int64_t, kLanes> d;
  for (int l = 0; l < values.lanes; l += static_cast<int>(hn::Lanes(d))) {
    auto sum = hn::LoadU(d, cell + l);
    const std::int32_t* words = values.words + l;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t ahead = rows[std::min(i + kAhead, rows.size() - 1)];
      __builtin_prefetch(words + ahead * values.lanes);
      sum = hn::Add(sum, load_lanes<kPacked>(d, words + std::size_t{rows[i]} * values.lanes));
    }
    hn::StoreU(sum, d, cell + l);
  }
}

void add_sums(std::span<const std::uint32_t> rows, const LaneRows& values, std::int64_t* cell) {
  if (values.lanes % 8 == 0) {
    (values.packed ? add_to_one<8, true> : add_to_one<8, false>)(rows, values, cell);
  } else {
    (values.packed ? add_to_one<4, true> : add_to_one<4, false>)(rows, values, cell);
  }
}

}  // namespace gradatim::boost::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::boost {

HWY_EXPORT(add_bytes);
HWY_EXPORT(add_words);
HWY_EXPORT(add_sums);

void add_vectors(const BinGroup& group, std::span<const std::uint32_t> rows, const LaneRows& values,
                 std::int64_t* cells) {
  HWY_DYNAMIC_DISPATCH(add_bytes)(group, rows, values, cells);
}

void add_vectors(const BinColumn& column, std::span<const std::uint32_t> rows,
                 const LaneRows& values, std::int64_t* cells) {
  HWY_DYNAMIC_DISPATCH(add_words)(column.as<std::uint16_t>(), rows, values, cells);
}

void add_vectors(std::span<const std::uint32_t> rows, const LaneRows& values, std::int64_t* cell) {
  HWY_DYNAMIC_DISPATCH(add_sums)(rows, values, cell);
}

}  // namespace gradatim::boost
#endif
