// DataMap: from data to the states that a flow learns, and back, with ln |d state / d data|.
//
//   whole numbers x in cells [x, x + 1):  v = x + u, u in [0, 1)
//   scale:                                s = (v - shift) factor
//   logit, where there is a margin m:     y = logit(m + (1 - 2 m) (s + 1) / 2)
#pragma once

#include <cstdint>
#include <span>

#include "gradatim/neural/model/flow.h"
#include "gradatim/neural/nn/tensor.h"
#include "gradatim/neural/train/scale.h"

namespace gradatim::neural {

class DataMap {
 public:
  DataMap() = default;
  /// DataError GRD-2094 where numbers are to be whole and one is not.
  DataMap(const FlowConfig& config, const data::Samples& samples);

  /// Whether data are whole numbers, which states lie within the cells of.
  bool whole() const { return whole_; }
  /// One sample of the data that it was made for as numbers, whole ones as they are.
  void row(const data::Samples& samples, std::int64_t index, std::span<double> out) const;
  /// Data of one sample, v where they are whole, as a state, in place; returns ln |det|. DataError
  /// GRD-2095 where it lies outside the support.
  double to_state(std::span<double> data) const;
  /// Whole numbers for v; else as they are. DataError GRD-2094.
  void check_whole(std::span<const double> data) const;
  /// States [rows, dims] as data, in place.
  void to_data(std::span<double> states) const;
  /// The same map of tensors v [rows, dims], differentiable; ln |det| [rows].
  std::pair<Tensor, Tensor> states(const Tensor& v) const;

  /// The largest |state| of data within the range that it was made for; infinite where it has none.
  double largest_state() const;

  void store(SafetensorsWriter& file) const;
  static DataMap load(const SafetensorsFile& file, std::int64_t dims);

 private:
  Scale scale_;
  bool whole_ = false;
  double margin_ = 0.0;
  double least_ = 0.0, most_ = 0.0;  // of whole numbers that it was made for
};

}  // namespace gradatim::neural
