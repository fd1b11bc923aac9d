// A multilayer perceptron of the state and the time: rows of numbers, such as tables and toys.
#include "gradatim/neural/network/mlp.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/network.h"

namespace gradatim::neural {
namespace {

class MlpNetwork final : public Network {
 public:
  explicit MlpNetwork(const MlpConfig& config) : config_(config) {}
  const char* maker() const override { return "gradatim_make_mlp"; }
  const void* config() const override { return &config_; }
  bool makes_scores() const override { return true; }

 private:
  MlpConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&MlpConfig::width>(
        {.doc = "Units of a hidden layer.", .range = api::between(1, 65536)}),
    api::setting<&MlpConfig::layers>(
        {.doc = "Hidden layers, or residual blocks.", .range = api::between(1, 256)}),
    api::setting<&MlpConfig::residual>(
        {.doc = "Whether a layer is a block x + W2 a(W1 a(x)) behind a linear layer."}),
    api::setting<&MlpConfig::expansion>(
        {.doc = "Inner units of a residual block for each outer one.",
         .range = api::between(1, 64)}),
    api::setting<&MlpConfig::activation>({.doc = "The nonlinearity."}),
    api::setting<&MlpConfig::time_input>({.doc = "What the first layer sees of the time: sines and "
                                                 "cosines of it, or the number, in [0, 1]."}),
};

constexpr api::Text kText = {
    .name = "neural.network.mlp",
    .summary = "A multilayer perceptron of the state, the time and the label.",
    .detail =
        "The first layer sees the state, flattened, and the time beside it. A label adds a learned "
        "vector to the first hidden layer. On a processor, forward and backward passes are "
        "written by hand.",
    .source =
        "Rumelhart, Hinton and Williams (1986), Learning representations by back-propagating "
        "errors; time: Vaswani et al. (2017), Attention is all you need",
    .shape = "x: [rows, dims], t: [rows]; out: [rows, dims], or [rows, classes] of a classifier",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_network_mlp) =
    gradatim::api::component<gradatim::neural::MlpNetwork, gradatim::neural::MlpConfig>(
        gradatim::neural::kText, gradatim::neural::kSettings);
