// N times even from the end of the path to first(), then 0.
#include "gradatim/api/export.h"
#include "gradatim/process/grid.h"

namespace gradatim::process {
namespace {

class Linspace final : public Grid {
 public:
  std::vector<double> times(const Path& path, int steps) const override {
    check_steps(steps);
    std::vector<double> times;
    for (int i = 0; i < steps; ++i) {
      const double part = steps == 1 ? 0.0 : static_cast<double>(i) / (steps - 1);
      times.push_back(path.last() + part * (path.first() - path.last()));
    }
    times.push_back(0.0);
    return times;
  }
};

constexpr api::Text kText = {
    .name = "process.grid.linspace",
    .summary = "Even times that include both ends of training.",
    .detail =
        "The last step goes from the least noise that fields are trained on to exact "
        "data.",
    .source =
        "Nichol and Dhariwal (2021), Improved denoising diffusion probabilistic models, "
        "section 4",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_grid_linspace) =
    gradatim::api::component<gradatim::process::Linspace, gradatim::api::NoSettings>(
        gradatim::process::kText);
