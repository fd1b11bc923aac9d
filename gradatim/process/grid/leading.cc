// t_i = last (N - 1 - i) / N + (1 + offset) first, then 0: every 1 / N-th of the path from its data
// end.
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/process/grid.h"

namespace gradatim::process {
namespace {

struct LeadingConfig {
  double offset = 0.0;
};

class Leading final : public Grid {
 public:
  explicit Leading(const LeadingConfig& config) : offset_(config.offset) {}

  std::vector<double> times(const Path& path, int steps) const override {
    check_steps(steps);
    // Paths of few entries leave no room for the offset.
    const double low = std::min((1.0 + offset_) * path.first(), path.last() / (steps > 1 ? 2 : 1));
    const double step = std::min(path.last() / steps, (path.last() - low) / std::max(1, steps - 1));
    std::vector<double> times;
    for (int i = steps - 1; i >= 0; --i) times.push_back(low + i * step);
    times.push_back(0.0);
    return times;
  }

 private:
  double offset_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&LeadingConfig::offset>(
        {.doc = "Moves all times up by so many entries of a table; Stable Diffusion has 1.",
         .range = api::between(0.0, 100.0)}),
};

constexpr api::Text kText = {
    .name = "process.grid.leading",
    .summary = "Even times that include the least noise but not the most.",
    .detail =
        "Begins below the end of the path, so the prior there is only nearly the one that "
        "sampling starts from; trailing has no such defect.",
    .source =
        "Ho, Jain and Abbeel (2020), Denoising diffusion probabilistic models; Lin et al. "
        "(2024), Common diffusion noise schedules and sample steps are flawed, table 2",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_grid_leading) =
    gradatim::api::component<gradatim::process::Leading, gradatim::process::LeadingConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
