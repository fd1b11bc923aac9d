#include "gradatim/boost/tree/partition.h"

#include <algorithm>
#include <optional>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/boost/tree/partition.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::boost::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Left bins of a numeric split are those up to `last`, and the missing bin where missing cells go
// left. Rows are compressed in place: what is written lies behind what was read.
template <class Bin>
std::int64_t separate_numeric(const Bin* bins, std::int32_t last, std::int32_t missing,
                              const std::uint8_t* left_bins, const std::uint32_t* rows,
                              std::int64_t count, std::uint32_t* out, std::uint32_t* right_rows) {
  std::int64_t left = 0;
  std::int64_t i = 0;
#if HWY_TARGET <= HWY_AVX2
  const hn::ScalableTag<std::uint32_t> d;
  const hn::RebindToSigned<decltype(d)> di;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto limit = hn::Set(di, last + 1);
  const auto absent = hn::Set(di, missing);
  const auto bits = hn::Set(di, sizeof(Bin) == 1 ? 0xFF : 0xFFFF);
  const auto* base = reinterpret_cast<const std::int32_t*>(bins);
  for (; i + lanes <= count; i += lanes) {
    const auto row = hn::LoadU(d, rows + i);
    const auto at = hn::BitCast(di, sizeof(Bin) == 1 ? row : hn::ShiftLeft<1>(row));
    const auto bin = hn::And(hn::GatherOffset(di, base, at), bits);
    const auto stays = hn::Or(hn::Lt(bin, limit), hn::Eq(bin, absent));
    const auto goes_left = hn::RebindMask(d, stays);
    hn::CompressStore(row, hn::Not(goes_left), d, right_rows + (i - left));
    left += static_cast<std::int64_t>(hn::CompressStore(row, goes_left, d, out + left));
  }
#else
  (void)last;
  (void)missing;
#endif
  return internal::separate_one_by_one(bins, left_bins, rows, i, count, left, out, right_rows);
}

std::int64_t separate_bytes(const std::uint8_t* bins, std::int32_t last, std::int32_t missing,
                            const std::uint8_t* left_bins, const std::uint32_t* rows,
                            std::int64_t count, std::uint32_t* out, std::uint32_t* right_rows) {
  return separate_numeric(bins, last, missing, left_bins, rows, count, out, right_rows);
}

std::int64_t separate_words(const std::uint16_t* bins, std::int32_t last, std::int32_t missing,
                            const std::uint8_t* left_bins, const std::uint32_t* rows,
                            std::int64_t count, std::uint32_t* out, std::uint32_t* right_rows) {
  return separate_numeric(bins, last, missing, left_bins, rows, count, out, right_rows);
}

}  // namespace gradatim::boost::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::boost {

HWY_EXPORT(separate_bytes);
HWY_EXPORT(separate_words);

std::int64_t separate_rows(const BinColumn& column, std::span<const std::uint8_t> left_bins,
                           std::span<const std::uint32_t> rows, std::uint32_t* out) {
  // A vector more: compressing writes whole vectors.
  std::uint32_t right_rows[kSeparateRows + 64];
  const auto count = static_cast<std::int64_t>(rows.size());
  const auto one_by_one = [&] {
    return visit_column(column, [&](const auto* bins) {
      return internal::separate_one_by_one(bins, left_bins.data(), rows.data(), 0, count, 0, out,
                                           right_rows);
    });
  };
  const auto bins_to_the_left = [&]() -> std::optional<std::int32_t> {  // where they are a prefix
    const auto end = left_bins.end() - 1;
    const auto right = std::find(left_bins.begin(), end, 0);
    if (std::find_if(right, end, [](std::uint8_t left) { return left != 0; }) != end) return {};
    return static_cast<std::int32_t>(right - left_bins.begin());
  };
  // Vectors count rows in 31 bits of bytes. Four-byte bins are too many to look at in every chunk.
  const bool addressable =
      column.width <= 2 && static_cast<std::int64_t>(column.bytes.size()) < (std::int64_t{1} << 31);
  const auto prefix = addressable ? bins_to_the_left() : std::nullopt;
  const std::int32_t missing =
      left_bins.back() != 0 ? static_cast<std::int32_t>(left_bins.size()) - 1 : -1;
  std::int64_t left = 0;
  if (!prefix) {
    left = one_by_one();
  } else if (column.width == 1) {
    left =
        HWY_DYNAMIC_DISPATCH(separate_bytes)(column.as<std::uint8_t>(), *prefix - 1, missing,
                                             left_bins.data(), rows.data(), count, out, right_rows);
  } else {
    left =
        HWY_DYNAMIC_DISPATCH(separate_words)(column.as<std::uint16_t>(), *prefix - 1, missing,
                                             left_bins.data(), rows.data(), count, out, right_rows);
  }
  std::copy_n(right_rows, count - left, out + left);
  return left;
}

}  // namespace gradatim::boost
#endif
