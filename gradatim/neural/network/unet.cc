// A U-Net of residual blocks with attention, to itself and to a text: images.
#include "gradatim/neural/network/unet.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/network.h"

namespace gradatim::neural {
namespace {

class UnetNetwork final : public Network {
 public:
  explicit UnetNetwork(const UnetConfig& config) : config_(config) {}
  const char* maker() const override { return "gradatim_make_unet"; }
  const void* config() const override { return &config_; }
  bool attends() const override { return true; }

 private:
  UnetConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&UnetConfig::channels>(
        {.doc = "Channels of each level, the finest first; between levels images are halved.",
         .range = api::between(1, 8192)}),
    api::setting<&UnetConfig::layers>(
        {.doc = "Residual blocks of a level on the way down; on the way up it has one more.",
         .range = api::between(1, 64)}),
    api::setting<&UnetConfig::attention>(
        {.doc = "Levels with self-attention behind each block: 0 is the finest, -1 the coarsest.",
         .range = api::between(-16, 15)}),
    api::setting<&UnetConfig::head_width>(
        {.doc = "Channels of an attention head; 0 means a single head of all channels.",
         .range = api::between(0, 8192)}),
    api::setting<&UnetConfig::cross_attention>(
        {.doc =
             "Of networks that are told a text: levels with transformers behind each block, which "
             "attend to the image and to the text, in the place of self-attention.",
         .range = api::between(-16, 15)}),
    api::setting<&UnetConfig::heads>(
        {.doc = "Heads of the transformers: one number, or one a level, the finest first; without, "
                "head_width says how many.",
         .range = api::between(1, 8192)}),
    api::setting<&UnetConfig::transformer_layers>(
        {.doc = "Layers of a transformer: one number, or one a level, the finest first.",
         .range = api::between(1, 64)}),
    api::setting<&UnetConfig::linear_projection>(
        {.doc =
             "Whether a transformer's first and last layer are stored as linear ones, as those of "
             "Stable Diffusion 2, or as convolutions of single pixels; they compute the same."}),
    api::setting<&UnetConfig::scale_shift>(
        {.doc = "Whether the time scales and shifts behind the second norm of a block (adaptive "
                "group norm), or is added in front of it."}),
    api::setting<&UnetConfig::norm_groups>(
        {.doc = "Groups of a group norm; they must divide the channels of every level.",
         .range = api::between(1, 8192)}),
    api::setting<&UnetConfig::norm_epsilon>(
        {.doc = "Added to the variance in a norm.", .range = api::between(0.0, 1.0)}),
    api::setting<&UnetConfig::dropout>(
        {.doc = "Chance that training leaves out a number in front of a block's last convolution.",
         .range = api::between(0.0, 0.99)}),
    api::setting<&UnetConfig::zero_init>(
        {.doc = "Whether the last layer of every block and of the network begin at zero, as in "
                "ADM; diffusers draws them."}),
    api::setting<&UnetConfig::activation>({.doc = "The nonlinearity of the residual blocks."}),
    api::setting<&UnetConfig::resnet_downsampling>(
        {.doc = "Levels that are halved behind by a residual block, and not by a convolution.",
         .range = api::between(-16, 15)}),
    api::setting<&UnetConfig::resnet_upsampling>(
        {.doc = "Levels that are doubled behind, on the way up, by a residual block, and not by "
                "a convolution.",
         .range = api::between(-16, 15)}),
    api::setting<&UnetConfig::downsample_padding>(
        {.doc = "Zeros around what a convolution halves; 0 puts them below and to the right only.",
         .range = api::between(0, 1)}),
    api::setting<&UnetConfig::middle>(
        {.doc = "Whether two more blocks follow below the coarsest level."}),
    api::setting<&UnetConfig::middle_attention>(
        {.doc = "Whether self-attention lies between these two, or a transformer where a text is "
                "told."}),
    api::setting<&UnetConfig::middle_norm_groups>(
        {.doc = "Groups of the norm in front of the middle's attention; 0 means no norm, -1 as "
                "many as elsewhere.",
         .range = api::between(-1, 8192)}),
    api::setting<&UnetConfig::middle_scale>(
        {.doc = "What the outputs of the middle's blocks are divided by.",
         .range = api::between(1e-3, 1e3)}),
    api::setting<&UnetConfig::time>(
        {.doc =
             "What the network sees of the time: sines and cosines of geometric frequencies, or "
             "of random ones of the logarithm; the latter also divides the output by the time."}),
    api::setting<&UnetConfig::time_width>(
        {.doc = "Numbers that the time becomes; 0 means four times the finest level's channels.",
         .range = api::between(0, 65536)}),
    api::setting<&UnetConfig::cosines_first>(
        {.doc = "Whether cosines come before sines in what is seen of the time."}),
    api::setting<&UnetConfig::frequency_shift>(
        {.doc = "Shift in the exponents of the frequencies; DDPM's network has 1.",
         .range = api::between(0.0, 1.0)}),
    api::setting<&UnetConfig::center_input>(
        {.doc = "Whether images in [0, 1] are moved to [-1, 1] first."}),
};

constexpr api::Text kText = {
    .name = "neural.network.unet",
    .summary = "A U-Net of residual blocks with attention at coarse levels, for images.",
    .detail =
        "Covers the networks of DDPM, ADM and Stable Diffusion 1 and 2: every UNet2DModel of "
        "diffusers whose blocks are plain, attention or resnet ones, and the UNet2DConditionModel "
        "with cross-attention; its parameters have diffusers' names. Where a side of an image is "
        "odd, what was halved comes back to the size of the skip connection. On a processor, with "
        "silu, norms, time and nonlinearity are one pass over memory, each block has its backward "
        "pass written by hand, and attention has a kernel for narrow heads.",
    .source =
        "Ho, Jain and Abbeel (2020), Denoising diffusion probabilistic models; Dhariwal and "
        "Nichol (2021), Diffusion models beat GANs on image synthesis; Rombach et al. (2022), "
        "High-resolution image synthesis with latent diffusion models",
    .shape =
        "x: [rows, channels, height, width], t: [rows], context: [texts, tokens, width]; out: as x",
    .errors =
        "GRD-1165 images that are too small; GRD-1166 channels that groups or heads do not "
        "divide; GRD-1167 a level that is not there; GRD-1196 no text, or none is attended to; "
        "GRD-1197 a text of another width; GRD-1198 a list of another length than the levels; "
        "GRD-1199 tokens where no text is embedded",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_network_unet) =
    gradatim::api::component<gradatim::neural::UnetNetwork, gradatim::neural::UnetConfig>(
        gradatim::neural::kText, gradatim::neural::kSettings);
