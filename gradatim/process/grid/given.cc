// Times that the user gives, from noise to data. Where they rise, the state is noised again.
#include <fmt/format.h>

#include "gradatim/api/export.h"
#include "gradatim/core/error.h"
#include "gradatim/process/grid.h"

namespace gradatim::process {
namespace {

struct GivenGridConfig {
  api::List<double, 4096> times = {1.0, 0.5, 0.0};
};

class Given final : public Grid {
 public:
  explicit Given(const GivenGridConfig& config)
      : times_(config.times.begin(), config.times.begin() + config.times.size) {}

  std::vector<double> times(const Path& path, int) const override {
    for (const double t : times_) {
      GRADATIM_CHECK(t <= path.last(), UsageError, 1110,
                     "the given grid's time {} is beyond the path's end {}", t, path.last());
    }
    return times_;
  }

 private:
  std::vector<double> times_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&GivenGridConfig::times>(
        {.doc = "The path's times to stop at; the number of steps follows from them.",
         .range = api::at_least(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.grid.given",
    .summary = "Times of your own.",
    .source =
        "Watson et al. (2021), Learning to efficiently sample from diffusion "
        "probabilistic models, which learns such a list",
    .errors =
        "GRD-1101 the times are fewer than two or begin by rising; GRD-1110 a time is "
        "beyond the path",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_grid_given) =
    gradatim::api::component<gradatim::process::Given, gradatim::process::GivenGridConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
