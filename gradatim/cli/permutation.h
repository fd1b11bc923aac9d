// Permutation importance: how much worse a metric gets when one feature's cells are shuffled among
// the rows. Breiman (2001), Random forests, section 10. It needs rows whose target is known; where
// features tell the same story, each alone looks unimportant.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "gradatim/core/observer.h"
#include "gradatim/data/model.h"

namespace gradatim::cli {

struct PermutationOptions {
  std::string metric;
  bool maximise = false;  // whether more of the metric is better
  std::uint64_t seed = 0;
  std::int64_t most_rows = 20000;  // of which the seed draws a sample beyond
  Observer* observer = nullptr;    // one step a feature
};

/// By feature: the metric's loss, positive where the feature helps.
std::map<std::string, double> permutation_importances(const data::Model& model, data::Table table,
                                                      const PermutationOptions& options);

}  // namespace gradatim::cli
