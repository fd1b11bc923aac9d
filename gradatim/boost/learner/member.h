// Member: one fitted weak model of an ensemble.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {

/// A block of rows of raw features, row-major: numbers, bins of categories, NaN where missing.
struct RowBlock {
  const double* values = nullptr;
  std::int64_t rows = 0;
  std::int64_t features = 0;
  std::shared_ptr<const void> owner;  // of the values, for members that keep them

  const double* row(std::int64_t i) const { return values + i * features; }
};

/// Margins are sums of multiples of `step`, a power of two, so that they are exact in any order.
struct Grid {
  double step = 0x1p-36;

  /// The nearest grid value that a float32 holds.
  float round(double x) const { return static_cast<float>(std::nearbyint(x / step) * step); }
};

class Member {
 public:
  virtual ~Member() = default;
  /// Outputs that it predicts at once.
  virtual int outputs() const { return 1; }
  /// Its value (or class) for each row, raw.  // out: [rows, outputs]
  virtual void predict(const RowBlock& rows, double* out) const = 0;
  /// Whether only raw values will do.
  virtual bool needs_values() const { return false; }
  /// Whether predict() must see all rows at once, on the caller's thread (Python).
  virtual bool whole() const { return false; }
  /// The same from bins, for rows [begin, end) of data with the training's bins.
  virtual void predict(const BinnedData& data, std::int64_t begin, std::int64_t end,
                       double* out) const = 0;
  /// The same for every row of the data, on all threads.  // out: [rows, outputs]
  virtual void predict_all(const BinnedData& data, double* out) const;
  /// Multiplies every value by `rate` and puts it on the grid.
  virtual void shrink(double rate, const Grid& grid) = 0;
};

inline void Member::predict_all(const BinnedData& data, double* out) const {
  constexpr std::int64_t kBlock = 4096;
  parallel_for(data.rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    predict(data, begin, end, out + begin * outputs());
  });
}

}  // namespace gradatim::boost
