// LossWeight: how much each noise level counts in training, whatever the field predicts.
//
// A field that puts out F is trained by weight(p) |F - target|^2. Published weights belong to one
// prediction (the noise's for P2, the data's for EDM), and F - target is a multiple of that one's
// error, so the same training has another weight for every prediction: it is converted here.
#pragma once

#include <string_view>

#include "gradatim/process/prediction.h"

namespace gradatim::process {

class LossWeight {
 public:
  using Interface = LossWeight;
  static constexpr std::string_view kKind = "process.loss_weight";
  virtual ~LossWeight() = default;

  /// The factor of |F - target|^2 for this prediction, 0 < t. May be infinite where the paper's is.
  virtual double at(const PathPoint& p, const Prediction& prediction) const = 0;
};

/// alpha^2 / sigma^2.
double snr(const PathPoint& p);
/// For a field of `prediction`, the factor that equals `weight` for the error of predicted data, or
/// of predicted noise. NumericError GRD-4020 where the output says nothing about them.
double from_data_weight(double weight, const PathPoint& p, const Prediction& prediction);
double from_noise_weight(double weight, const PathPoint& p, const Prediction& prediction);

}  // namespace gradatim::process
