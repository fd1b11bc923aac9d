// t_i = last (1 - i / N)^2: even steps of the root of time.
#include "gradatim/api/export.h"
#include "gradatim/process/grid.h"

namespace gradatim::process {
namespace {

class Quadratic final : public Grid {
 public:
  std::vector<double> times(const Path& path, int steps) const override {
    check_steps(steps);
    std::vector<double> times;
    for (int i = 0; i <= steps; ++i) {
      const double root = static_cast<double>(steps - i) / steps;
      times.push_back(path.last() * root * root);
    }
    return times;
  }
};

constexpr api::Text kText = {
    .name = "process.grid.quadratic",
    .summary = "Steps of time that shrink towards the data.",
    .source = "Song, Meng and Ermon (2021), Denoising diffusion implicit models, appendix D.2",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_grid_quadratic) =
    gradatim::api::component<gradatim::process::Quadratic, gradatim::api::NoSettings>(
        gradatim::process::kText);
