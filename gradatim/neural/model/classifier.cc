// A network that tells the label of a sample, also of one that is noised, so that it can guide:
//
//   min E_{(data, label), noise, t} -ln p(label | alpha x + sigma z, t)
#include "gradatim/neural/model/classifier.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/library.h"

namespace gradatim::neural {
namespace {

class ClassifierTrainer final : public data::Trainer {
 public:
  using Interface = data::Trainer;
  ClassifierTrainer(const ClassifierConfig& config, std::span<const api::Made> parts)
      : plan_{config, std::static_pointer_cast<const Network>(parts[0]),
              std::static_pointer_cast<const process::Path>(parts[1]),
              std::static_pointer_cast<const process::TimeDensity>(parts[2]),
              std::static_pointer_cast<const Training>(parts[3])} {}

  bool continues() const override { return true; }
  bool takes_device() const override { return true; }
  std::shared_ptr<const data::Model> fit(const data::FitRequest& request,
                                         const api::Settings& settings) const override {
    return neural_function<FitClassifier>("gradatim_fit_classifier")(plan_, request, settings);
  }
  std::shared_ptr<const data::Model> load(const SafetensorsFile& file,
                                          const data::ModelCard& card) const override {
    return neural_function<LoadClassifier>("gradatim_load_classifier")(plan_, file, card);
  }

 private:
  ClassifierPlan plan_;
};

using C = ClassifierConfig;

constexpr api::Setting kSettings[] = {
    api::setting<&C::noised>(
        {.doc = "Share of samples that are noised, at times that `times` draws; the others are "
                "clean. 0 learns from clean samples alone, and cannot guide.",
         .range = api::between(0.0, 1.0)}),
    api::setting<&C::label_smoothing>(
        {.doc = "Share of a label that is spread evenly over all classes.",
         .range = api::from_below(0.0, 1.0)}),
    api::setting<&C::scaling>(
        {.doc = "How data become states: range maps the smallest and largest number to -1 and 1, "
                "standard gives every column mean 0 and deviation 1; automatic is range for images "
                "and standard for rows."}),
    api::setting<&C::flip>(
        {.doc = "Whether half of the images are learned from mirrored, left to right."}),
};

constexpr api::Part kParts[] = {
    {"network", "neural.network", "auto",
     "What computes the scores; auto is a multilayer perceptron for rows, a convolutional "
     "classifier for images."},
    {"path", "process.path", "process.path.rectified",
     "How data turn into noise. It guides on any path."},
    {"times", "process.time_density", "process.time_density.uniform",
     "Which times training draws."},
    {"training", "neural.training", "neural.training.adamw", "How parameters are found."},
};

constexpr api::Text kText = {
    .name = "neural.classifier",
    .summary = "A classifier of samples, also of noised ones, that can guide a diffusion.",
    .detail =
        "Learns from images or rows of numbers with labels. Evaluation and prediction are of clean "
        "samples; `gradatim sample --classifier` leads samples of another model to a label along "
        "its gradient. Saved is the moving average of the parameters.",
    .source =
        "Dhariwal and Nichol (2021), Diffusion models beat GANs on image synthesis, section 4; "
        "Song et al. (2021), Score-based generative modeling through stochastic differential "
        "equations, section 5",
    .shape = "samples: [rows, dims] or [rows, channels, height, width]; labels: [rows]",
    .errors =
        "GRD-1160 torch is not installed; GRD-1161 the network does not suit the samples; GRD-2092 "
        "there are no labels; GRD-2093 there is one class; GRD-4029 the loss is not finite",
    .tags = "samples labels python:Classifier",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_model_classifier) =
    gradatim::api::component<gradatim::neural::ClassifierTrainer,
                             gradatim::neural::ClassifierConfig>(gradatim::neural::kText,
                                                                 gradatim::neural::kSettings,
                                                                 gradatim::neural::kParts);
