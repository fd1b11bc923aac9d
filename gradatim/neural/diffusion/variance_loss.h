// VarianceLoss: the part of the hybrid loss that learned variances come from, and the bound on the
// likelihood that it is a term of:
//
//   loss = weight |F - target|^2 + variance_weight T cost,    cost in bits a number (step_cost.h).
//
// Times are those of the table, so that the costs are terms of one chain's bound: the one that
// variational_bound() adds up, whose steps are the shortest that anyone samples with.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "gradatim/neural/diffusion/diffusion_field.h"
#include "gradatim/neural/diffusion/diffusion_loss.h"
#include "gradatim/neural/diffusion/step_cost.h"
#include "gradatim/neural/model/diffusion.h"
#include "gradatim/neural/train/batches.h"

namespace gradatim::neural {

class VarianceLoss {
 public:
  /// `bytes`: whether data are whole numbers from 0 to 255, whose bins are then what is likely.
  VarianceLoss(const DiffusionPlan& plan, const Scale& scale, bool bytes);

  const StepTable& table() const { return table_; }
  bool binned() const { return bins_.half > 0.0; }
  /// Batches of the table's times, with their clean data.
  BatchesRequest asked(BatchesRequest request) const;
  /// What rows [first, first + rows) of such a batch cost.
  void add_to(BatchTensors& tensors, Batch& batch, const FieldParts& parts, std::int64_t first,
              std::int64_t rows) const;

 private:
  std::shared_ptr<const process::Path> path_;
  std::shared_ptr<const process::Prediction> prediction_;
  std::shared_ptr<const process::TimeDensity> times_;
  StepTable table_;
  Bins bins_;
  double weight_;  // of the cost in nats
};

/// Of a plan that learns variances.
std::optional<VarianceLoss> variance_loss(const DiffusionPlan& plan, const Scale& scale,
                                          bool bytes);
/// UsageError GRD-1146 where the reverse steps of the plan are not those of a diffusion from normal
/// noise.
void check_learned_variance(const DiffusionPlan& plan, bool source);

/// Bits a number, with the standard error: an upper bound of -log2 p(x) of the states, or of the
/// bytes.
struct Bound {
  double bits = 0.0, error = 0.0;
};

/// `prepare` sees each batch before the network. The costs of all steps, estimated at times that
/// are spread over them, and KL(q(x_T | x) || N(0, sigma_T^2)).
Bound variational_bound(const FieldParts& parts, const DiffusionPlan& plan,
                        const VarianceLoss& loss, const Scale& scale,
                        std::shared_ptr<const data::Samples> samples, std::uint64_t seed,
                        const std::function<void(Batch&)>& prepare = {});

}  // namespace gradatim::neural
