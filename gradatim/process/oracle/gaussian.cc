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

class GaussianOracle final : public OracleMaker {
 public:
  explicit GaussianOracle(const GaussianConfig& config) : config_(config) {}
  std::int64_t dims() const override { return config_.dims; }
  std::shared_ptr<const Oracle> on(std::shared_ptr<const Path> path,
                                   std::shared_ptr<const Prediction> prediction) const override {
    const auto dims = static_cast<std::size_t>(config_.dims);
    Mixture mixture{{1.0},
                    std::vector<double>(dims, config_.mean),
                    std::vector<double>(dims, config_.deviation),
                    config_.dims};
    return std::make_shared<MixtureField>(std::move(mixture), std::move(path),
                                          std::move(prediction));
  }

 private:
  GaussianConfig config_;
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
