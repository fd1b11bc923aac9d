// The diffusion transformer: self-attention over the patches of an image.
#include "gradatim/neural/network/transformer.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/network.h"

namespace gradatim::neural {
namespace {

class TransformerNetwork final : public Network {
 public:
  explicit TransformerNetwork(const TransformerConfig& config) : config_(config) {}
  const char* maker() const override { return "gradatim_make_transformer"; }
  const void* config() const override { return &config_; }

 private:
  TransformerConfig config_;
};

using C = TransformerConfig;

constexpr api::Setting kSettings[] = {
    api::setting<&C::patch>(
        {.doc = "Height and width of a patch, in pixels; it must divide those of the images.",
         .range = api::between(1, 1024)}),
    api::setting<&C::width>({.doc = "Numbers of a patch within the network, a multiple of four.",
                             .range = api::between(4, 65536)}),
    api::setting<&C::depth>({.doc = "Blocks.", .range = api::between(1, 1024)}),
    api::setting<&C::heads>(
        {.doc = "Heads of attention; they must divide the width.", .range = api::between(1, 1024)}),
    api::setting<&C::mlp_ratio>(
        {.doc = "Inner units of a block's perceptron for each number of the width.",
         .range = api::between(1, 64)}),
};

constexpr api::Text kText = {
    .name = "neural.network.transformer",
    .summary = "The diffusion transformer (DiT) with adaLN-zero, for images.",
    .detail =
        "An image becomes one row of numbers a patch, with a fixed sine-cosine embedding of its "
        "place. Time and label scale, shift and gate what every block adds, and begin with gates "
        "of zero, so that a new network puts out zero. The defaults are DiT-S/2; parameters have "
        "the names of the paper's code.",
    .source = "Peebles and Xie (2023), Scalable diffusion models with transformers",
    .shape = "x: [rows, channels, height, width], t: [rows]; out: as x",
    .errors =
        "GRD-1169 samples that are no images, a patch that does not divide them, or a width that "
        "four or the heads do not divide",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_network_transformer) =
    gradatim::api::component<gradatim::neural::TransformerNetwork,
                             gradatim::neural::TransformerConfig>(gradatim::neural::kText,
                                                                  gradatim::neural::kSettings);
