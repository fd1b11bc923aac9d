// Sampler: path x prediction x grid x solver x guidance, chosen by name, around any field.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "gradatim/process/likelihood.h"
#include "gradatim/process/sample.h"

namespace gradatim::process {

/// Makes the field that is to be sampled, once the path and the prediction are known.
using FieldOn = std::function<std::shared_ptr<const Field>(
    const std::shared_ptr<const Path>&, const std::shared_ptr<const Prediction>&)>;

class Sampler {
 public:
  using Interface = Sampler;
  static constexpr std::string_view kKind = "sampler";
  virtual ~Sampler() = default;

  virtual std::shared_ptr<const Path> path() const = 0;
  virtual std::shared_ptr<const Prediction> prediction() const = 0;
  /// Dimensions of the oracle among the settings. UsageError GRD-1142 where there is none.
  virtual std::int64_t oracle_dims() const = 0;
  /// The grid of these settings, and how many evaluations of the field the solver makes on it; 0
  /// where that depends on the sample.
  virtual std::vector<double> times() const = 0;
  virtual std::int64_t evaluations() const = 0;
  /// Fills in times, solver and noise of the request, wraps the field (the oracle's, where it is
  /// empty), and samples.
  virtual std::vector<float> sample(const FieldOn& field, SampleRequest request) const = 0;
  /// ln p of data x [rows, dims] under that field, on the path of these settings.
  virtual Likelihood log_prob(const FieldOn& field, std::span<const double> x, std::int64_t dims,
                              const ConditionPtr& condition,
                              const LikelihoodOptions& options) const = 0;
};

}  // namespace gradatim::process
