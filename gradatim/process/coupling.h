// Coupling: which data row goes with which noise row of a training batch of flow matching.
//
// Noise and data are drawn independently; a coupling that pairs what is near makes straighter
// paths, without changing the distribution of either. The label and the conditions of a row belong
// to its data: with the pair (i, partner[i]) go labels[partner[i]] and conditions[partner[i]].
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace gradatim::process {

struct Batch {
  std::span<const float> noise, data;  // [rows, dims] each
  std::int64_t rows = 0, dims = 0;
  std::span<const std::int64_t> labels = {};  // [rows] of the data, or none
  std::span<const float> conditions = {};     // [rows, k] of the data, or none
  std::uint64_t seed = 0;                     // of random draws, with the step
  std::int64_t step = 0;
};

class Coupling {
 public:
  using Interface = Coupling;
  static constexpr std::string_view kKind = "process.coupling";
  virtual ~Coupling() = default;

  /// partner[i] [rows] becomes the data row of noise row i. The same for the same batch, whatever
  /// the threads and the processor. UsageError GRD-1155 where shapes do not fit, GRD-1156 where
  /// labels or conditions are needed and there are none; NumericError GRD-4024 where a number is
  /// not finite or beyond 1e15.
  void pair(const Batch& batch, std::span<std::int32_t> partner) const;
  /// Whether the noise of a pair says nothing about its data.
  virtual bool independent() const { return false; }

 protected:
  /// `batch` has been checked.
  virtual void choose(const Batch& batch, std::span<std::int32_t> partner) const = 0;
};

/// |noise_i - data_j|^2 of a batch [rows, rows].
std::vector<float> squared_costs(const Batch& batch);

}  // namespace gradatim::process
