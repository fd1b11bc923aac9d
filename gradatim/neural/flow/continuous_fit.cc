// Fits neural.continuous_flow: the objective by likelihood, and the edge to libgradatim. Flow
// matching learns as neural.diffusion does.
#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/diffusion/diffusion_objective.h"
#include "gradatim/neural/flow/continuous_gradient.h"
#include "gradatim/neural/flow/continuous_model.h"
#include "gradatim/neural/network/mlp.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/size.h"
#include "gradatim/neural/train/batch_objective.h"
#include "gradatim/neural/train/identity.h"
#include "gradatim/neural/train/start.h"

namespace gradatim::neural {
namespace {

// -ln p of the batch's samples, in nats of the data's own scale, by integrating the flow.
class LikelihoodObjective final : public BatchObjective {
 public:
  LikelihoodObjective(const ContinuousFlowPlan& plan, Batches batches, const FieldParts& parts,
                      const Scale& scale, bool bytes, std::function<ModelCopy()> make_copy)
      : BatchObjective(parts.net->parameters(), plan.training->config().accumulate,
                       stream_of(std::move(batches)), std::move(make_copy)),
        config_(plan.config),
        parts_(parts),
        dims_(c10::multiply_integers(parts.shape.sample)),
        probes_(probes_of(plan.config, dims_)),
        log_scale_(scale.log_scale(dims_)) {
    if (bytes)
      cell_ = at::tensor(at::ArrayRef<double>(scale.factor().data(), scale.factor().size()),
                         at::kFloat);
  }

 protected:
  double learn(Batch& batch, std::int64_t first, std::int64_t rows) override {
    Parameters& parameters = parts_.net->parameters();
    parameters.require_gradients(true);
    const FlowPass flow{.net = *parts_.net,
                        .sample = parts_.shape.sample,
                        .labels = labels_of(batch, first, rows),
                        .directions = directions(rows),
                        .share = probes_ > 0 ? 1.0 / static_cast<double>(probes_) : 1.0,
                        .kinetic = config_.kinetic_weight,
                        .jacobian = config_.jacobian_weight};
    const Tensor x =
        within_cells(rows_of(batch.data, first, {rows, dims_}, at::kCPU)).to(parts_.device);
    const auto gradients_of =
        config_.gradient == FlowGradient::adjoint ? adjoint_gradients : checkpointed_gradients;
    const FlowGradients found =
        gradients_of(flow, tableau_of(config_.solver), config_.solver_steps, x);
    const double share = 1.0 / static_cast<double>(batch.rows);
    for (std::size_t k = 0; k < found.parameters.size(); ++k) {
      const auto& item = parameters.items()[k];
      if (!found.parameters[k].defined()) continue;
      parameters.gradients()
          .narrow(0, item.offset, item.value.numel())
          .add_(found.parameters[k].reshape({-1}), share);
    }
    return (found.loss - static_cast<double>(rows) * log_scale_) * share;
  }

 private:
  Tensor labels_of(Batch& batch, std::int64_t first, std::int64_t rows) const {
    if (parts_.shape.classes == 0) return {};
    return rows_of(batch.labels, first, {rows}, parts_.device);
  }
  // Bytes stand for all that rounds to them, so that their density is one of numbers.
  Tensor within_cells(const Tensor& x) const {
    if (!cell_.defined()) return x;
    const Tensor u = at::empty_like(x);
    const Philox draws(parts_.shape.seed, Stream::train_noise, pass());
    for (std::int64_t k = 0; k < u.numel(); ++k) {
      u.data_ptr<float>()[k] = static_cast<float>(draws.uniform(to_size(k)) - 0.5);
    }
    return x + u * cell_;
  }
  // The basis, or random signs that stay the same along a row's whole way.
  Tensor directions(std::int64_t rows) const {
    if (probes_ == 0) return at::eye(dims_, at::kFloat).unsqueeze(1).to(parts_.device);
    const Tensor z = at::empty({probes_, rows, dims_}, at::kFloat);
    const Philox draws(parts_.shape.seed, Stream::probe, pass());
    float* out = z.data_ptr<float>();
    for (std::int64_t k = 0; k < z.numel(); ++k) {
      const auto place = static_cast<std::uint64_t>(k);
      out[k] = (draws.bits(place / 64) >> (place % 64) & 1U) != 0 ? 1.0F : -1.0F;
    }
    return z.to(parts_.device);
  }

  ContinuousFlowConfig config_;
  FieldParts parts_;
  std::int64_t dims_, probes_;
  double log_scale_;
  Tensor cell_;  // the width of a byte in states, [1] or [dims]; undefined: numbers
};

void check_request(const ContinuousFlowPlan& plan, const data::FitRequest& request) {
  GRADATIM_CHECK(request.samples != nullptr, UsageError, 1010,
                 "neural.continuous_flow learns from samples; give it some");
  GRADATIM_CHECK(request.samples->given_columns.empty(), UsageError, 1192,
                 "neural.continuous_flow takes no numbers that are given; leave them out, or take "
                 "neural.flow");
  GRADATIM_CHECK(request.init_model == nullptr, UsageError, 1036,
                 "neural.continuous_flow does not go on from a model; leave out init_model, or "
                 "give a checkpoint's folder by resume");
  GRADATIM_CHECK(!plan.config.flip || request.samples->is_images(), UsageError, 1161,
                 "flip mirrors images, and the samples are rows; leave it out");
  GRADATIM_CHECK(request.source == nullptr, UsageError, 1190,
                 "neural.continuous_flow goes from samples to normal noise and takes no source; "
                 "neural.diffusion does");
  const TrainingConfig& training = plan.training->config();
  GRADATIM_CHECK(training.sample_every == 0 || !request.log_folder.empty(), UsageError, 1181,
                 "sample_every leaves samples in a log's folder, and there is none; name one by "
                 "log_dir");
  const ContinuousFlowConfig& config = plan.config;
  if (config.objective == FlowObjective::likelihood) {
    GRADATIM_CHECK(plan.coupling->independent() && config.pair_steps == 1, UsageError, 1190,
                   "training by likelihood pairs no noise with samples; leave out coupling and "
                   "pair_steps, or take objective = flow_matching");
    GRADATIM_CHECK(training.precision == Precision::float32, UsageError, 1190,
                   "training by likelihood computes in float32; leave --precision out, or take "
                   "objective = flow_matching");
  } else {
    GRADATIM_CHECK(config.kinetic_weight == 0.0 && config.jacobian_weight == 0.0, UsageError, 1190,
                   "flow matching integrates nothing that kinetic_weight or jacobian_weight could "
                   "weigh; leave them out, or take objective = likelihood");
  }
}

// What suits the samples, where no network is named.
void choose_network(ContinuousFlowPlan& plan, api::Settings& settings, bool images) {
  if (plan.network != nullptr) return;
  std::vector<api::Option> options;
  if (!images) options = {{"time_input", "plain"}, {"activation", "tanh"}};
  settings.parts["network"] = api::complete(
      api::parse_settings(images ? "neural.network.unet" : "neural.network.mlp", options));
  plan.network = api::build_as<Network>(settings.parts["network"]);
}

std::shared_ptr<const data::Model> fit(ContinuousFlowPlan plan, const data::FitRequest& request,
                                       api::Settings settings) {
  check_request(plan, request);
  const data::Samples& samples = *request.samples;
  choose_network(plan, settings, samples.is_images());
  const TrainingConfig& config = plan.training->config();
  const bool matching = plan.config.objective == FlowObjective::flow_matching;
  SampleKind kind = SampleKind::of(samples);
  const FieldParts parts = flow_parts(plan, kind, request.seed, device_of(request.device));
  if (matching) parts.net->set_precision(config.precision);
  const TorchThreads threads(3.0 * parts.net->operations_at_once() *
                             static_cast<double>(config.batch_size / group_of(request).size()));
  const Scale scale(plan.config.scaling, samples);
  Batches batches(batch_plan(plan), scale,
                  {.samples = request.samples,
                   .rows = config.batch_size,
                   .shuffle = config.shuffle,
                   .seed = request.seed,
                   .keep_data = !matching});
  data::ModelCard card{.settings = settings, .notes = request.notes};
  const auto copy = [&] {
    const FieldParts own = flow_parts(plan, kind, 0, parts.device);
    return ModelCopy{std::make_shared<ContinuousFlowModel>(plan, card, kind, scale, own),
                     &own.net->parameters()};
  };
  std::unique_ptr<Objective> objective;
  if (matching) {
    objective =
        std::make_unique<DiffusionObjective>(config, std::move(batches), parts, std::nullopt, copy);
  } else {
    objective = std::make_unique<LikelihoodObjective>(plan, std::move(batches), parts, scale,
                                                      kind.bytes, copy);
  }
  tell_start(request, settings.parts.at("network"), parts.net->parameters());
  Trained trained = train(*objective, config, request, identity_of(request, settings));
  parts.net->parameters().values().copy_(trained.parameters);
  parts.net->end_training();
  card.rounds = trained.steps;
  card.history = std::move(trained.history);
  return std::make_shared<ContinuousFlowModel>(plan, std::move(card), std::move(kind), scale,
                                               parts);
}

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::FitContinuousFlow gradatim_fit_continuous_flow;
gradatim::neural::LoadContinuousFlow gradatim_load_continuous_flow;

std::shared_ptr<const gradatim::data::Model> gradatim_fit_continuous_flow(
    const gradatim::neural::ContinuousFlowPlan& plan, const gradatim::data::FitRequest& request,
    const gradatim::api::Settings& settings) {
  using namespace gradatim::neural;
  return translated([&] { return fit(plan, request, settings); });
}

std::shared_ptr<const gradatim::data::Model> gradatim_load_continuous_flow(
    const gradatim::neural::ContinuousFlowPlan& plan, const gradatim::SafetensorsFile& file,
    const gradatim::data::ModelCard& card) {
  using namespace gradatim::neural;
  return translated([&]() -> std::shared_ptr<const gradatim::data::Model> {
    return ContinuousFlowModel::load(plan, file, card);
  });
}
}
