// t' = s t / (1 + (s - 1) t) over even times t of the unit interval: on the rectified path the
// noise-to-signal ratio times s.
#include "gradatim/api/export.h"
#include "gradatim/process/grid.h"

namespace gradatim::process {
namespace {

struct FlowShiftConfig {
  double shift = 3.0;
};

class FlowShift final : public Grid {
 public:
  explicit FlowShift(const FlowShiftConfig& config) : shift_(config.shift) {}

  std::vector<double> times(const Path& path, int steps) const override {
    check_steps(steps);
    std::vector<double> times;
    for (int i = 0; i <= steps; ++i) {
      const double t = static_cast<double>(steps - i) / steps;
      times.push_back(path.last() * (shift_ * t / (1.0 + (shift_ - 1.0) * t)));
    }
    return times;
  }

 private:
  double shift_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&FlowShiftConfig::shift>(
        {.doc = "s: 1 is trailing; large states, which lose signal later, take more.",
         .range = api::above(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.grid.flow_shift",
    .summary = "Even times pushed towards the noise.",
    .source =
        "Esser et al. (2024), Scaling rectified flow transformers for high-resolution "
        "image synthesis, equation 23",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_grid_flow_shift) =
    gradatim::api::component<gradatim::process::FlowShift, gradatim::process::FlowShiftConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
