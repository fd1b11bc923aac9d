// NICE as its paper has it: additive couplings and one scale a number behind them.
#include "gradatim/neural/architecture/nice.h"

#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

using Config = NiceConfig;

class Nice final : public MadeBy<Architecture, NiceConfig> {
 public:
  using MadeBy::MadeBy;
  const char* base() const override { return "neural.base.logistic"; }
};

constexpr api::Setting kSettings[] = {couplings_setting<Config>(), width_setting<Config>(),
                                      layers_setting<Config>(), activation_setting<Config>(),
                                      mask_setting<Config>()};

constexpr api::Text kText = {
    .name = "neural.architecture.nice",
    .summary = "Additive couplings by turns, and a learned scale of every number behind them.",
    .detail =
        "The couplings keep all volumes, so that ln |det| is the sum of the log scales alone. "
        "The base density is logistic where none is named.",
    .source = "Dinh, Krueger and Bengio (2015), NICE: non-linear independent components estimation",
    .shape = "[rows, dims], or images, flattened",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_architecture_nice) =
    gradatim::api::component<gradatim::neural::Nice, gradatim::neural::NiceConfig>(
        gradatim::neural::kText, gradatim::neural::kSettings);
