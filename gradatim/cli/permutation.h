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
  Observer* observer = nullptr;  // one step a feature
};

/// The table, or 20,000 of more rows, drawn by the seed: an explanation of all would say the same.
data::Table some_rows(const data::Table& table, std::uint64_t seed);

/// By feature: the metric's loss, positive where the feature helps.
std::map<std::string, double> permutation_importances(const data::Model& model,
                                                      const data::Table& table,
                                                      const PermutationOptions& options);

}  // namespace gradatim::cli
