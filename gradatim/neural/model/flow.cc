// A normalizing flow, trained by maximum likelihood:
//
//   max E_data ln p_base(f(x)) + ln |det df/dx|
//
// f is a chain of invertible steps (the architecture) behind a fixed map of the data: their scale,
// noise within the cells of whole numbers, and a logit. All of it is accounted for, so that
// densities are those of the data as they are.
#include "gradatim/neural/model/flow.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/library.h"

namespace gradatim::neural {
namespace {

class FlowTrainer final : public data::Trainer {
 public:
  using Interface = data::Trainer;
  FlowTrainer(const FlowConfig& config, std::span<const api::Made> parts)
      : plan_{config, std::static_pointer_cast<const Architecture>(parts[0]),
              std::static_pointer_cast<const BaseDensity>(parts[1]),
              std::static_pointer_cast<const Training>(parts[2])} {}

  bool continues() const override { return true; }
  bool takes_device() const override { return true; }
  std::shared_ptr<const data::Model> fit(const data::FitRequest& request,
                                         const api::Settings& settings) const override {
    return neural_function<FitFlow>("gradatim_fit_flow")(plan_, request, settings);
  }
  std::shared_ptr<const data::Model> load(const SafetensorsFile& file,
                                          const data::ModelCard& card) const override {
    return neural_function<LoadFlow>("gradatim_load_flow")(plan_, file, card);
  }

 private:
  FlowPlan plan_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&FlowConfig::scaling>(
        {.doc = "How data become states: range maps the smallest and largest number to -1 and 1, "
                "standard gives every column mean 0 and deviation 1; automatic is range for images "
                "and standard for rows."}),
    api::setting<&FlowConfig::dequantization>(
        {.doc = "What fills the cells of whole numbers, [x, x + 1): nothing, even noise, or noise "
                "that a small flow learns (its likelihood is a tighter bound); automatic is even "
                "noise for images of bytes and nothing else."}),
    api::setting<&FlowConfig::logit_margin>(
        {.doc = "Above 0, states are logits of the range of the data, which keeps so far from 0 "
                "and 1, and samples lie within it; scaling is then range.",
         .range = api::from_below(0.0, 0.5)}),
};

constexpr api::Part kParts[] = {
    {"architecture", "neural.architecture", "auto",
     "The steps; auto is spline couplings for rows, Glow for images."},
    {"base", "neural.base", "auto",
     "The density that data are led to; auto is what the architecture's paper has."},
    {"training", "neural.training", "neural.training.adamw", "How parameters are found."},
};

constexpr api::Text kText = {
    .name = "neural.flow",
    .summary = "A normalizing flow: invertible steps with an exact likelihood.",
    .detail =
        "Learns from images or rows of numbers; with labels, or numbers given with each sample, it "
        "learns their conditional density. log_prob, sample, encode and decode follow from the "
        "same steps. Saved is the moving average of the parameters. evaluate gives the mean loss, "
        "-ln p in nats and of the data's own units, its standard error, and bits a number; of "
        "whole numbers these bound -ln P of the number itself.",
    .source =
        "Rezende and Mohamed (2015), Variational inference with normalizing flows; Dinh, Krueger "
        "and Bengio (2015), NICE; Papamakarios et al. (2021), Normalizing flows for probabilistic "
        "modeling and inference; dequantisation: Theis, van den Oord and Bethge (2016), A note on "
        "the evaluation of generative models; Ho et al. (2019), Flow++",
    .shape = "samples: [rows, dims] or [rows, channels, height, width]; labels: [rows]",
    .errors =
        "GRD-1160 torch is not installed; GRD-1191 the architecture does not suit the samples; "
        "GRD-2094 a number is not whole; GRD-2095 a number lies outside the support; "
        "GRD-4029 the loss is not finite; GRD-4032 a code leads out of the range of floats",
    .tags = "samples flow python:NormalizingFlow",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_model_flow) =
    gradatim::api::component<gradatim::neural::FlowTrainer, gradatim::neural::FlowConfig>(
        gradatim::neural::kText, gradatim::neural::kSettings, gradatim::neural::kParts);
