// An autoencoder with discrete codes, and the distribution of these codes:
//
//   first   min |x - decode(quantize(encode(x)))|^2 + codebook + commitment
//   then    max E ln P(codes of x)
//
// The first alone is an autoencoder and no generative model; the second makes it one.
#include "gradatim/neural/model/vq.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/library.h"

namespace gradatim::neural {
namespace {

class VqTrainer final : public data::Trainer {
 public:
  using Interface = data::Trainer;
  VqTrainer(const VqConfig& config, std::span<const api::Made> parts)
      : plan_{config, std::static_pointer_cast<const Autoencoder>(parts[0]),
              std::static_pointer_cast<const Quantizer>(parts[1]),
              std::static_pointer_cast<const CodePrior>(parts[2]),
              std::static_pointer_cast<const Training>(parts[3])} {}

  bool continues() const override { return true; }
  std::shared_ptr<const data::Model> fit(const data::FitRequest& request,
                                         const api::Settings& settings) const override {
    return neural_function<FitVq>("gradatim_fit_vq")(plan_, request, settings);
  }
  std::shared_ptr<const data::Model> load(const SafetensorsFile& file,
                                          const data::ModelCard& card) const override {
    return neural_function<LoadVq>("gradatim_load_vq")(plan_, file, card);
  }

 private:
  VqPlan plan_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&VqConfig::scaling>(
        {.doc = "How data become states: range maps the smallest and largest number to -1 and 1, "
                "standard gives every column mean 0 and deviation 1; automatic is range for images "
                "and standard for rows."}),
    api::setting<&VqConfig::reconstruction>(
        {.doc = "What a reconstruction loses: the squared or the absolute difference of states, "
                "the mean over numbers."}),
};

constexpr api::Part kParts[] = {
    {"autoencoder", "neural.autoencoder", "auto",
     "Encoder and decoder; auto is conv for images, mlp for rows."},
    {"quantizer", "neural.quantizer", "neural.quantizer.moving_average",
     "How vectors become codes."},
    {"prior", "neural.code_prior", "neural.code_prior.transformer",
     "The distribution of codes, learned behind the autoencoder by a training of its own."},
    {"training", "neural.training", "neural.training.adamw",
     "How the autoencoder's parameters are found."},
};

constexpr api::Text kText = {
    .name = "neural.vq",
    .summary = "VQ-VAE: an autoencoder with discrete codes, and a prior to sample them from.",
    .detail =
        "Learns from images or rows of numbers; with labels the prior is that of each label. Two "
        "trainings follow one another: the autoencoder's, then the prior's on the codes of all "
        "samples. encode gives integers, decode takes them; sample draws codes from the prior and "
        "decodes them. evaluate gives the loss of reconstruction, the mean squared error in the "
        "data's units, the perplexity of the codes (exp of the entropy of how often each is used), "
        "the share of codes that are alive, and a bound of bits a number: -log2 P(codes) - log2 "
        "p(x | codes), where p(x | codes) is logistic around the reconstruction, for bytes over "
        "the cell of each.",
    .source =
        "van den Oord, Vinyals and Kavukcuoglu (2017), Neural discrete representation learning; "
        "Razavi, van den Oord and Vinyals (2019), Generating diverse high-fidelity images with "
        "VQ-VAE-2",
    .shape = "samples: [rows, dims] or [rows, channels, height, width]; labels: [rows]",
    .errors =
        "GRD-1160 torch is not installed; GRD-1205 the autoencoder does not suit the samples; "
        "GRD-2110 a code is out of range; GRD-4029 the loss is not finite",
    .tags = "samples codes python:VQVAE",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_model_vq) =
    gradatim::api::component<gradatim::neural::VqTrainer, gradatim::neural::VqConfig>(
        gradatim::neural::kText, gradatim::neural::kSettings, gradatim::neural::kParts);
