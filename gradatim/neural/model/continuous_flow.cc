// A continuous normalizing flow: dx/dt = v(x, t) takes data (t = 0) to a normal distribution
// (t = 1), with v a network. Trained by likelihood,
//
//   min E_data -ln p(x),  ln p(x(0)) = ln N(x(1); 0, 1) + integral of tr dv/dx dt,
//
// or by flow matching, the regression of neural.diffusion on the straight path: the same network,
// the same density afterwards.
#include "gradatim/neural/model/continuous_flow.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/library.h"

namespace gradatim::neural {
namespace {

class ContinuousFlowTrainer final : public data::Trainer {
 public:
  using Interface = data::Trainer;
  ContinuousFlowTrainer(const ContinuousFlowConfig& config, std::span<const api::Made> parts)
      : plan_{config, std::static_pointer_cast<const Network>(parts[0]),
              std::static_pointer_cast<const process::Coupling>(parts[1]),
              std::static_pointer_cast<const Training>(parts[2])} {}

  bool continues() const override { return true; }
  bool takes_device() const override { return true; }
  std::shared_ptr<const data::Model> fit(const data::FitRequest& request,
                                         const api::Settings& settings) const override {
    return neural_function<FitContinuousFlow>("gradatim_fit_continuous_flow")(plan_, request,
                                                                              settings);
  }
  std::shared_ptr<const data::Model> load(const SafetensorsFile& file,
                                          const data::ModelCard& card) const override {
    return neural_function<LoadContinuousFlow>("gradatim_load_continuous_flow")(plan_, file, card);
  }

 private:
  ContinuousFlowPlan plan_;
};

using C = ContinuousFlowConfig;

constexpr api::Setting kSettings[] = {
    api::setting<&C::objective>(
        {.doc = "What training lowers: -ln p of the samples, by integrating the flow, or the "
                "squared error of the velocity between samples and noise (flow matching), which "
                "integrates nothing."}),
    api::setting<&C::trace>(
        {.doc = "The trace that training by likelihood takes: exact, one derivative a number of a "
                "sample, or hutchinson's random estimate. automatic is exact for samples of up to "
                "8 numbers."}),
    api::setting<&C::probes>(
        {.doc = "Random probes of a hutchinson trace, a sample.", .range = api::between(1, 1024)}),
    api::setting<&C::solver>(
        {.doc = "The Runge-Kutta method that training by likelihood integrates by. Densities and "
                "samples later are solved to a tolerance, whatever it is."}),
    api::setting<&C::solver_steps>({.doc = "Even steps of it.", .range = api::between(1, 10000)}),
    api::setting<&C::gradient>(
        {.doc = "How training goes back through the integration: checkpointed computes every step "
                "again and gives the exact gradient of the steps; adjoint solves the flow "
                "backwards and keeps nothing."}),
    api::setting<&C::kinetic_weight>(
        {.doc = "Weight of the integral of |v|^2, which keeps the flow straight.",
         .range = api::at_least(0.0)}),
    api::setting<&C::jacobian_weight>(
        {.doc = "Weight of the integral of |dv/dx|^2, which keeps it smooth.",
         .range = api::at_least(0.0)}),
    api::setting<&C::drop_label>(
        {.doc = "Share of samples that learn without their label, so that classifier-free guidance "
                "has what it leads away from, and a density without a label means something.",
         .range = api::between(0.0, 1.0)}),
    api::setting<&C::scaling>(
        {.doc = "How data become states: range maps the smallest and largest number to -1 and 1, "
                "standard gives every column mean 0 and deviation 1; automatic is range for images "
                "and standard for rows."}),
    api::setting<&C::flip>(
        {.doc = "Whether half of the images are learned from mirrored, left to right."}),
    api::setting<&C::pair_steps>(
        {.doc = "Steps of flow matching whose batches are drawn and coupled together, as one "
                "larger batch.",
         .range = api::between(1, 1024)}),
};

constexpr api::Part kParts[] = {
    {"network", "neural.network", "auto",
     "What computes the velocity; auto is a multilayer perceptron with the time as a number for "
     "rows, a U-Net for images."},
    {"coupling", "process.coupling", "process.coupling.independent",
     "Which noise of a batch of flow matching goes with which sample."},
    {"training", "neural.training", "neural.training.adamw", "How parameters are found."},
};

constexpr api::Text kText = {
    .name = "neural.continuous_flow",
    .summary = "A continuous normalizing flow, trained by likelihood or by flow matching.",
    .detail =
        "Learns from images or rows of numbers, with labels or without. ln p of a sample is exact "
        "to the tolerance of the integration. Any solver that draws no noise samples from it; one "
        "trained by flow matching with an independent coupling is a diffusion, too, and takes all. "
        "Saved is the moving average of the parameters. evaluate gives the loss, the mean of -ln p "
        "in nats a sample (of bytes that of a draw among all that rounds to them, which training "
        "by likelihood learns from, too) and, where the trace is estimated, its standard error "
        "loss_error.",
    .source =
        "Chen et al. (2018), Neural ordinary differential equations; Grathwohl et al. (2019), "
        "FFJORD: free-form continuous dynamics for scalable reversible generative models; Finlay "
        "et "
        "al. (2020), How to train your neural ODE; Lipman et al. (2023), Flow matching for "
        "generative modeling",
    .shape = "samples: [rows, dims] or [rows, channels, height, width]; labels: [rows]",
    .errors =
        "GRD-1160 torch is not installed; GRD-1161 the network does not suit the samples; GRD-1190 "
        "what training by likelihood has no use for; GRD-4029 the loss is not finite; GRD-4030 the "
        "flow is not",
    .tags = "samples python:ContinuousFlow",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_model_continuous_flow) =
    gradatim::api::component<gradatim::neural::ContinuousFlowTrainer,
                             gradatim::neural::ContinuousFlowConfig>(gradatim::neural::kText,
                                                                     gradatim::neural::kSettings,
                                                                     gradatim::neural::kParts);
