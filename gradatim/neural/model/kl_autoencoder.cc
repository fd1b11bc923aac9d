// A variational autoencoder whose latents are small images, for a diffusion to learn:
//
//   min E |x - D(z)| + w KL(q(z | x) || N(0, 1)),   q(z | x) = N(mean(x), deviation(x)^2)
//
// both by the number of a sample's numbers, perhaps with a discriminator of patches beside it,
// which tells what is decoded from what is real (Esser, Rombach and Ommer 2021).
#include "gradatim/neural/model/kl_autoencoder.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/library.h"

namespace gradatim::neural {
namespace {

class KlAutoencoderTrainer final : public data::Trainer {
 public:
  using Interface = data::Trainer;
  KlAutoencoderTrainer(const KlConfig& config, std::span<const api::Made> parts)
      : plan_{config, std::static_pointer_cast<const Training>(parts[0])} {}

  bool continues() const override { return true; }
  bool takes_device() const override { return true; }
  std::shared_ptr<const data::Model> fit(const data::FitRequest& request,
                                         const api::Settings& settings) const override {
    return neural_function<FitKlAutoencoder>("gradatim_fit_kl_autoencoder")(plan_, request,
                                                                            settings);
  }
  std::shared_ptr<const data::Model> load(const SafetensorsFile& file,
                                          const data::ModelCard& card) const override {
    return neural_function<LoadKlAutoencoder>("gradatim_load_kl_autoencoder")(plan_, file, card);
  }

 private:
  KlPlan plan_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&KlConfig::channels>(
        {.doc = "Channels of each level, the finest first; between levels images are halved. Of "
                "rows of numbers, the units of each hidden layer.",
         .range = api::between(1, 8192)}),
    api::setting<&KlConfig::layers>(
        {.doc = "Residual blocks of a level of the encoder; the decoder's have one more.",
         .range = api::between(1, 64)}),
    api::setting<&KlConfig::latent_channels>(
        {.doc = "Channels of a latent; of rows, its numbers.", .range = api::between(1, 8192)}),
    api::setting<&KlConfig::norm_groups>(
        {.doc = "Groups of a group norm; they must divide the channels of every level.",
         .range = api::between(1, 8192)}),
    api::setting<&KlConfig::middle_attention>(
        {.doc = "Whether the pixels of the coarsest level attend to each other."}),
    api::setting<&KlConfig::scaling>(
        {.doc = "How data become states: range maps the smallest and largest number to -1 and 1, "
                "standard gives every column mean 0 and deviation 1; automatic is range for images "
                "and standard for rows."}),
    api::setting<&KlConfig::reconstruction>(
        {.doc = "What is lost by a number of a sample: its absolute or its squared error."}),
    api::setting<&KlConfig::kl_weight>(
        {.doc = "Weight of the divergence of latents from normal numbers, against the sum of the "
                "errors of a sample's numbers.",
         .range = api::at_least(0.0)}),
    api::setting<&KlConfig::adversarial_weight>(
        {.doc = "Weight of a discriminator's loss, against a gradient as large as the "
                "reconstruction's at the last layer; 0: there is none.",
         .range = api::at_least(0.0)}),
    api::setting<&KlConfig::adversarial_start>(
        {.doc = "Steps without the discriminator.", .range = api::at_least(0)}),
    api::setting<&KlConfig::discriminator_channels>(
        {.doc = "Channels of the discriminator's first layer; each layer doubles them, to eight "
                "times as many.",
         .range = api::between(1, 8192)}),
    api::setting<&KlConfig::discriminator_layers>(
        {.doc = "Layers of the discriminator that halve images; 3 see patches of 70 x 70 pixels, "
                "2 of 34 x 34, 1 of 16 x 16.",
         .range = api::between(1, 16)}),
};

constexpr api::Part kParts[] = {
    {"training", "neural.training", "neural.training.adamw", "How parameters are found."},
};

constexpr api::Text kText = {
    .name = "neural.kl_autoencoder",
    .summary = "A variational autoencoder whose latents are small images, or few numbers.",
    .detail =
        "Learns from images whose height and width are multiples of 2 to the number of levels less "
        "one, or from rows of numbers by perceptrons. For images it is diffusers' AutoencoderKL, "
        "with its parameter names; convert reads and writes its folders. encode gives means of "
        "latents, divided by the deviation of all latents of the samples that it learned from; "
        "decode takes such latents. Saved is the moving average of the parameters. The "
        "discriminator, which has group norms so that a sample does not see others, is not saved. "
        "evaluate gives the mean loss, without the discriminator's; the root of the mean squared "
        "error of a number; the divergence in nats; and bits a number of the bound -ln p(x) <= "
        "-ln p(x | z) + KL with normal errors as large as in training, in the data's own units.",
    .source =
        "Kingma and Welling (2014), Auto-encoding variational Bayes; Rombach et al. (2022), "
        "High-resolution image synthesis with latent diffusion models; discriminator: Isola et al. "
        "(2017), Image-to-image translation with conditional adversarial networks; its weight: "
        "Esser, Rombach and Ommer (2021), Taming transformers for high-resolution image synthesis",
    .shape = "samples: [rows, dims] or [rows, channels, height, width]",
    .errors =
        "GRD-1160 torch is not installed; GRD-1200 images of a size that cannot be halved as often "
        "as there are levels; GRD-1201 norm_groups that do not divide channels; GRD-1202 a "
        "discriminator that does not suit the samples; GRD-1203 latents or data of another size; "
        "GRD-4029 the loss is not finite; GRD-4040 a sample or a latent leads out of the range of "
        "floats",
    .tags = "samples latent python:KLAutoencoder",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_model_kl_autoencoder) =
    gradatim::api::component<gradatim::neural::KlAutoencoderTrainer, gradatim::neural::KlConfig>(
        gradatim::neural::kText, gradatim::neural::kSettings, gradatim::neural::kParts);
