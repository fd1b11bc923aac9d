// Helpers of the losses' tests: a loss by name and options, its gradients of a few rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/boost/loss/loss.h"
#include "gradatim/boost/testing.h"

namespace gradatim::boost::testing {

inline std::shared_ptr<const Loss> loss(const std::string& name, const Options& options = {}) {
  return api::build_as<Loss>(api::parse_settings("boost.loss." + name, options));
}

struct Gradients {
  std::vector<float> g, h;  // [outputs][rows]
};

/// Of labels [targets][rows] and scores [outputs][rows].
inline Gradients gradients(const Loss& loss, const std::vector<float>& label,
                           const std::vector<double>& score, int outputs = 1, int targets = 1) {
  Gradients made{std::vector<float>(score.size()), std::vector<float>(score.size())};
  const auto rows = static_cast<std::int64_t>(score.size()) / outputs;
  loss.gradients(
      {rows, label.data(), score.data(), made.g.data(), made.h.data(), rows, outputs, targets});
  return made;
}

}  // namespace gradatim::boost::testing
