// t = first + (last - first) u.
#include "gradatim/api/export.h"
#include "gradatim/process/time_density.h"

namespace gradatim::process {
namespace {

class UniformTimes final : public TimeDensity {
 public:
  double time(const Path& path, double u, double) const override {
    return path.first() + (path.last() - path.first()) * u;
  }
};

constexpr api::Text kText = {
    .name = "process.time_density.uniform",
    .summary = "Every time of the path alike.",
    .source = "Ho, Jain and Abbeel (2020), Denoising diffusion probabilistic models, algorithm 1",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_time_density_uniform) =
    gradatim::api::component<gradatim::process::UniformTimes, gradatim::api::NoSettings>(
        gradatim::process::kText);
