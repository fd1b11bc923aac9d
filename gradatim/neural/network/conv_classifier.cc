// A small convolutional network that puts out a score a class: images, clean or noised.
#include "gradatim/neural/network/conv_classifier.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/network.h"

namespace gradatim::neural {
namespace {

class ConvClassifierNetwork final : public Network {
 public:
  explicit ConvClassifierNetwork(const ConvClassifierConfig& config) : config_(config) {}
  const char* maker() const override { return "gradatim_make_conv_classifier"; }
  const void* config() const override { return &config_; }
  bool makes_fields() const override { return false; }
  bool makes_scores() const override { return true; }

 private:
  ConvClassifierConfig config_;
};

using C = ConvClassifierConfig;

constexpr api::Setting kSettings[] = {
    api::setting<&C::channels>(
        {.doc = "Channels of the first stage; each further one has twice as many.",
         .range = api::between(1, 4096)}),
    api::setting<&C::stages>(
        {.doc = "Stages; each behind the first halves height and width, rounded up.",
         .range = api::between(1, 8)}),
    api::setting<&C::layers>({.doc = "Convolutions of a stage.", .range = api::between(1, 32)}),
    api::setting<&C::timed>(
        {.doc = "Whether every convolution is told the time, which is to say how much noise there "
                "is. A classifier of clean images alone can do without."}),
};

constexpr api::Text kText = {
    .name = "neural.network.conv_classifier",
    .summary = "A small convolutional classifier of images.",
    .detail =
        "Convolutions of 3 x 3 with group normalisation and SiLU; the time scales and shifts what "
        "was normalised. The mean over all pixels meets a linear layer.",
    .source =
        "Wu and He (2018), Group normalization; Dhariwal and Nichol (2021), Diffusion models beat "
        "GANs on image synthesis, section 4: a classifier that is told the time",
    .shape = "x: [rows, channels, height, width], t: [rows]; out: [rows, classes]",
    .errors = "GRD-1161 the samples are no images; GRD-1170 a field is asked of it",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_network_conv_classifier) =
    gradatim::api::component<gradatim::neural::ConvClassifierNetwork,
                             gradatim::neural::ConvClassifierConfig>(gradatim::neural::kText,
                                                                     gradatim::neural::kSettings);
