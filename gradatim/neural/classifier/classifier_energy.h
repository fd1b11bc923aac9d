// ClassifierEnergy: ln p(label | x_t) of a network, for guidance.
//
// States of any path and of an affine scale are brought to those that the network learned from: at
// equal noise-to-signal ratio two paths differ by a factor. Rows go through in chunks of a fixed
// size, as in DiffusionField.
#pragma once

#include <memory>

#include "gradatim/neural/nn/net.h"
#include "gradatim/process/guidance.h"
#include "gradatim/process/noised_classifier.h"
#include "gradatim/process/path.h"

namespace gradatim::neural {

struct ClassifierParts {
  std::shared_ptr<Net> net;
  std::shared_ptr<const process::Path> path;  // that it was trained on
  NetworkShape shape;
  Tensor log_shares;  // of the classes among what it learned from
  at::Device device = at::kCPU;
};

class ClassifierEnergy final : public process::Energy {
 public:
  /// `path` is the one that states lie on.
  ClassifierEnergy(ClassifierParts parts, std::shared_ptr<const process::Labels> labels,
                   std::shared_ptr<const process::Path> path, process::StateMap map);

  process::Vec gradient(process::Space& space, const process::Query& query,
                        const process::ConditionPtr& condition,
                        const process::Form& data) const override;

 private:
  struct Inputs {
    Tensor factor, signal;  // [rows, 1]: input = factor * state + signal * the map's shift
    Tensor t, labels;       // [rows]
  };
  Inputs inputs(const process::Query& query) const;

  ClassifierParts parts_;
  std::shared_ptr<const process::Labels> labels_;
  std::shared_ptr<const process::Path> path_;
  process::StateMap map_;
  Tensor shift_;  // [dims]
};

}  // namespace gradatim::neural
