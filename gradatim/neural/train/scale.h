// Scale: from the numbers of data to those of states, state = (x - shift) * factor, a pair a column
// or one pair for all.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/core/safetensors.h"
#include "gradatim/data/samples.h"
#include "gradatim/neural/model/scaling.h"

namespace gradatim::neural {

class Scale {
 public:
  Scale() = default;
  /// Of data that lie anywhere in [x, x + cell).
  Scale(Scaling how, const data::Samples& samples, double cell = 0.0);

  /// One sample as a state.
  void row(const data::Samples& samples, std::int64_t index, std::span<float> out) const;
  void to_data(std::span<float> states) const;
  void to_data(std::span<double> states) const;
  void to_states(std::span<double> data) const;
  /// Whether all columns have the same scale.
  bool uniform() const { return factor_.size() == 1; }
  std::span<const double> shift() const { return shift_; }
  std::span<const double> factor() const { return factor_; }
  /// ln |d state / d data| of `dims` numbers.
  double log_scale(std::int64_t dims) const;

  void store(SafetensorsWriter& file) const;
  static Scale load(const SafetensorsFile& file, std::int64_t dims);

 private:
  std::size_t at(std::size_t k) const { return factor_.size() == 1 ? 0 : k % factor_.size(); }
  std::vector<double> shift_ = {0.0}, factor_ = {1.0};
};

}  // namespace gradatim::neural
