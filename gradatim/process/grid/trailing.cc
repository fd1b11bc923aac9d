// t_i = last (1 - i / N): even steps that begin at the end of the path.
#include "gradatim/api/export.h"
#include "gradatim/process/grid.h"

namespace gradatim::process {
namespace {

class Trailing final : public Grid {
 public:
  std::vector<double> times(const Path& path, int steps) const override {
    check_steps(steps);
    std::vector<double> times;
    for (int i = 0; i <= steps; ++i) {
      times.push_back(path.last() * (static_cast<double>(steps - i) / steps));
    }
    return times;
  }
};

constexpr api::Text kText = {
    .name = "process.grid.trailing",
    .summary = "Even steps of time from the end of the path to the data.",
    .source =
        "Lin et al. (2024), Common diffusion noise schedules and sample steps are flawed, "
        "section 3.3",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_grid_trailing) =
    gradatim::api::component<gradatim::process::Trailing, gradatim::api::NoSettings>(
        gradatim::process::kText);
