// Observation: p(x | codes), logistic around what the decoder makes of them, with a spread of its
// own for every number of a sample, as training left it: of bytes the chance of the cell [x - 1/2,
// x + 1/2], where those of 0 and 255 reach to infinity; of other numbers a density.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/core/safetensors.h"

namespace gradatim::neural {

class Observation {
 public:
  Observation() = default;
  Observation(std::int64_t dims, bool bytes)
      : bytes_(bytes), spread_(static_cast<std::size_t>(dims), 0.0) {}

  /// Takes in rows and what was decoded of them, [rows, dims] in the scale of the data; then
  /// finish() makes spreads of all.
  void add(std::span<const double> data, std::span<const float> decoded);
  void finish();

  /// ln p of one row.
  double log_prob(std::span<const double> data, std::span<const float> decoded) const;

  void store(SafetensorsWriter& file) const;
  /// ModelError GRD-3075 where it does not suit so many numbers.
  static Observation load(const SafetensorsFile& file, std::int64_t dims, bool bytes);

 private:
  bool bytes_ = false;
  std::int64_t rows_ = 0;
  std::vector<double> spread_;  // [dims]; before finish() sums of |x - decoded|
};

}  // namespace gradatim::neural
