// What a step of neural.diffusion, and of flow matching, learns: the regression on a batch.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "gradatim/neural/diffusion/diffusion_field.h"
#include "gradatim/neural/diffusion/diffusion_loss.h"
#include "gradatim/neural/diffusion/variance_loss.h"
#include "gradatim/neural/train/batch_objective.h"

namespace gradatim::neural {

class DiffusionObjective final : public BatchObjective {
 public:
  DiffusionObjective(const TrainingConfig& config, Batches batches, const FieldParts& parts,
                     std::optional<VarianceLoss> variance, std::function<ModelCopy()> make_copy)
      : BatchObjective(parts.net->parameters(), config.accumulate, stream_of(std::move(batches)),
                       std::move(make_copy)),
        parts_(parts),
        variance_(std::move(variance)) {}

 protected:
  double learn(Batch& batch, std::int64_t first, std::int64_t rows) override {
    auto tensors = tensors_of(batch, parts_.shape, first, rows, parts_.device);
    if (variance_) variance_->add_to(tensors, batch, parts_, first, rows);
    tensors.input.dropout.emplace(parts_.shape.seed, Stream::dropout_units, pass());
    return neural::learn(*parts_.net, tensors, batch.rows);
  }

 private:
  FieldParts parts_;
  std::optional<VarianceLoss> variance_;
};

}  // namespace gradatim::neural
