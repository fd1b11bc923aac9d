// Coder: a saved model that takes samples to discrete codes and back, and knows how often which
// codes come together:
//
//   p(x) = sum_c P(c) p(x | c) >= P(c(x)) p(x | c(x))
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gradatim/process/likelihood.h"
#include "gradatim/process/sample_space.h"

namespace gradatim::process {

struct CodesRequest {
  std::int64_t rows = 1;
  std::uint64_t seed = 0;
  // Places of labels: none, one for all rows, or one a row. Without any, a model that learned with
  // labels draws them by their shares, and adds over all of them in densities.
  std::vector<std::int64_t> labels = {};
  double temperature = 1.0;           // of the prior: below 1, likelier codes; 0, the likeliest
  std::int64_t top_k = 0;             // draw among the likeliest so many codes; 0: all
  double top_p = 1.0;                 // and among those that reach this probability together
  std::optional<RowRange> only = {};  // of the rows, those to sample; all
};

class Coder : public SampleSpace {
 public:
  /// Of a sample's codes: {height, width} of one level, {places} of rows, with {books} behind where
  /// a place has several; {length} of several levels.
  virtual std::span<const std::int64_t> code_shape() const = 0;
  /// How many codes there are at each place of the length.
  virtual std::span<const std::int64_t> code_sizes() const = 0;
  /// Codes [rows, length] of data [rows, dims], and back, in the scale of the data. DataError
  /// GRD-2110 for a code out of range.
  virtual std::vector<std::int64_t> encode(std::span<const double> data) const = 0;
  virtual std::vector<float> decode(std::span<const std::int64_t> codes) const = 0;
  /// Codes drawn from the prior; row k is a pure function of the seed and k.
  virtual std::vector<std::int64_t> sample_codes(const CodesRequest& request) const = 0;
  /// A lower bound of ln p of data, in nats and of the data's own units; of bytes, of ln P.
  virtual Likelihood log_prob(std::span<const double> data, const CodesRequest& request) const = 0;
};

}  // namespace gradatim::process
