// AdamW and the moving average over a network's one buffer of parameters.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "gradatim/neural/nn/parameters.h"
#include "gradatim/neural/training.h"

namespace gradatim::neural {

class Optimizer {
 public:
  Optimizer(Parameters& parameters, const TrainingConfig& config);

  /// Update number `step`, 0, 1, ..., by the gradients, which are 0 afterwards. Returns their norm
  /// before it was held to gradient_clip; where that is not finite, nothing was changed.
  double update(std::int64_t step);
  /// The moving average, or the parameters where there is none.
  const Tensor& kept() const;

  void store(SafetensorsWriter& file) const;
  void load(const SafetensorsFile& file);

 private:
  void update_in_memory(std::int64_t step, double factor);
  std::vector<std::pair<const char*, Tensor*>> buffers();

  Parameters& parameters_;
  TrainingConfig config_;
  Tensor mean_, square_, average_, steps_;
};

}  // namespace gradatim::neural
