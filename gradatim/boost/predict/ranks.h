// Numbers as one byte each: how many of a feature's thresholds are <= x.
//
// x < t_j is "rank <= j" to the bit. Where every threshold is a float32, so may x be: rounded
// towards minus infinity it lies on the same side of each of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gradatim::boost {

class RankTable {
 public:
  static constexpr int kMost = 254;  // thresholds; bytes beyond are for missing cells

  /// `thresholds` ascend, are distinct and no NaN.
  explicit RankTable(std::span<const double> thresholds);

  /// The byte that rows below threshold j do not exceed.
  static std::uint32_t bound(std::int64_t j) { return static_cast<std::uint32_t>(j - 128); }
  std::int64_t index_of(double threshold) const;

  /// Ranks - 128 of up to kStrip numbers. NaN is -128 in `missing_left` and 127 in `missing_right`;
  /// either may be null.
  void find(const double* x, int count, std::int8_t* missing_left,
            std::int8_t* missing_right) const;

 private:
  std::vector<double> exact_;   // padded with NaN to 2^levels - 1, and once more
  std::vector<float> rounded_;  // the same, or empty where float32 would change one
  std::vector<float> top_;      // of more than five levels: the first five
  int levels_ = 0;
};

/// Bins of one byte as a plane: bin - 128. Where `missing` >= 0 that bin is -128, and the others
/// are bin - 127, above it.
void shift_bins(const std::uint8_t* bins, int count, std::int32_t missing, std::int8_t* plane);

}  // namespace gradatim::boost
