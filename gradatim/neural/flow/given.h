// Given: what a flow is told beside a sample: its label as one of so many ones, and numbers that
// are given, standardised as they were in training.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/core/safetensors.h"
#include "gradatim/data/samples.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

class Given {
 public:
  Given() = default;
  explicit Given(const data::Samples& samples);

  std::int64_t classes() const { return static_cast<std::int64_t>(shares_.size()); }
  std::int64_t columns() const { return static_cast<std::int64_t>(shift_.size()); }
  std::int64_t width() const { return classes() + columns(); }
  /// How often each label was learned, of all samples.
  std::span<const double> shares() const { return shares_; }
  /// A label by its share, for a uniform number.
  std::int64_t draw(double uniform) const;

  /// One row: a label, where there are classes, and numbers as the caller has them.
  void tell(std::int64_t label, std::span<const double> numbers, float* out) const;

  void store(SafetensorsWriter& file) const;
  /// ModelError GRD-3067 where it does not suit so many classes and columns.
  static Given load(const SafetensorsFile& file, std::size_t classes, std::size_t columns);

 private:
  std::vector<double> shares_, shift_, factor_;
};

}  // namespace gradatim::neural
