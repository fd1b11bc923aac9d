// A normal distribution with one mean and one deviation for all dimensions.
#include "gradatim/api/export.h"
#include "gradatim/process/oracle.h"

namespace gradatim::process {
namespace {

struct GaussianConfig {
  int dims = 2;
  double mean = 0.0;
  double deviation = 1.0;
};

class GaussianOracle final : public MixtureMaker {
 public:
  explicit GaussianOracle(const GaussianConfig& config)
      : MixtureMaker({{1.0},
                      std::vector<double>(static_cast<std::size_t>(config.dims), config.mean),
                      {config.deviation},
                      config.dims}) {}
};

constexpr api::Setting kSettings[] = {
    api::setting<&GaussianConfig::dims>({.doc = "Dimensions.", .range = api::between(1, 1000000)}),
    api::setting<&GaussianConfig::mean>({.doc = "Mean of every dimension."}),
    api::setting<&GaussianConfig::deviation>(
        {.doc = "Standard deviation of every dimension.", .range = api::at_least(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.oracle.gaussian",
    .summary = "A normal distribution, whose flow is known in closed form.",
    .source =
        "Karras et al. (2022), Elucidating the design space of diffusion-based generative "
        "models, appendix B.3",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_oracle_gaussian) =
    gradatim::api::component<gradatim::process::GaussianOracle, gradatim::process::GaussianConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
