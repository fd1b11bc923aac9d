// Flow: a saved model that maps samples to codes of a known density and back, so that its own
// density is exact: ln p(x) = ln p_base(f(x)) + ln |det df/dx|.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gradatim/process/likelihood.h"
#include "gradatim/process/sample_space.h"

namespace gradatim::process {

struct FlowRequest {
  std::int64_t rows = 1;
  std::uint64_t seed = 0;
  // Places of labels: none, one for all rows, or one a row. Without any, a flow that learned with
  // labels draws them by their shares when it samples, and adds over all of them in densities.
  std::vector<std::int64_t> labels = {};
  // Numbers that samples are given, of one row for all or [rows, given_columns].
  std::vector<double> given = {};
  double temperature = 1.0;  // that the base's deviation is multiplied by, in sampling
  // Of data that are whole numbers: draws of what lies between them; of several, the mean.
  int draws = 1;
  std::optional<RowRange> only = {};  // of the rows, those to sample; all
};

class Flow : public SampleSpace {
 public:
  /// Names of the numbers that each sample is given.
  virtual std::span<const std::string> given_columns() const = 0;
  /// Samples [rows, dims] in the scale of the data; row k is a pure function of the seed and k.
  virtual std::vector<float> sample(const FlowRequest& request) const = 0;
  /// ln p of data [rows, dims], in nats and of the data's own units; of whole numbers a lower
  /// bound of ln P, by one draw or the mean of several, whose standard error is told; -infinity
  /// where that is below all floats. DataError GRD-2094 for a number that is not whole, GRD-2095
  /// for one outside the support.
  virtual Likelihood log_prob(std::span<const double> data, const FlowRequest& request) const = 0;
  /// Codes [rows, dims] of data, and back. Whole numbers stand for the middle of their cell. A flow
  /// that learned with labels needs them: UsageError GRD-1104. NumericError GRD-4032 where a code
  /// leads out of the range of floats.
  virtual std::vector<float> encode(std::span<const double> data,
                                    const FlowRequest& request) const = 0;
  virtual std::vector<float> decode(std::span<const double> codes,
                                    const FlowRequest& request) const = 0;
  /// Data [rows, dims] whose numbers that are not known (0 in `known`, [rows, dims]) climbed the
  /// density from noise: x += a (d ln p / dx + noise), a = 10 / (100 + step), in the scale of
  /// states and within their range (Dinh, Krueger and Bengio 2015, section 5.2). Labels as in
  /// encode().
  virtual std::vector<float> inpaint(std::span<const double> data,
                                     std::span<const std::uint8_t> known, std::int64_t steps,
                                     const FlowRequest& request) const = 0;
};

}  // namespace gradatim::process
