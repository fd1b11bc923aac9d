// Fits neural.kl_autoencoder: the edge to libgradatim.
#include "gradatim/core/error.h"
#include "gradatim/neural/latent/kl_objective.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/train/identity.h"
#include "gradatim/neural/train/start.h"

namespace gradatim::neural {
namespace {

void check_kl_request(const KlPlan& plan, const data::FitRequest& request) {
  GRADATIM_CHECK(request.samples != nullptr, UsageError, 1010,
                 "neural.kl_autoencoder learns from samples; give it some");
  GRADATIM_CHECK(request.init_model == nullptr, UsageError, 1036,
                 "neural.kl_autoencoder does not go on from a model; leave out init_model, or give "
                 "a checkpoint's folder by resume");
  GRADATIM_CHECK(request.source == nullptr, UsageError, 1036,
                 "an autoencoder starts from no samples but those that it learns; leave out the "
                 "source");
  GRADATIM_CHECK(request.samples->given_columns.empty(), UsageError, 1192,
                 "an autoencoder is given no numbers besides a sample; leave given out");
  GRADATIM_CHECK(plan.training->config().precision == Precision::float32, UsageError, 1180,
                 "autoencoders are computed in float32; leave precision out");
  GRADATIM_CHECK(plan.training->config().sample_every == 0, UsageError, 1181,
                 "an autoencoder draws no samples; leave sample_every out");
}

std::shared_ptr<const data::Model> fit_kl(const KlPlan& plan, const data::FitRequest& request,
                                          const api::Settings& settings) {
  check_kl_request(plan, request);
  const data::Samples& samples = *request.samples;
  const TrainingConfig& config = plan.training->config();
  SampleKind kind = SampleKind::of(samples);
  kind.classes.clear();
  const Scale scale(plan.config.scaling, samples);
  const at::Device device = device_of(request.device);
  KlTrained trained = KlTrained::make(plan.config, kind.shape, request.seed, device);
  const TorchThreads threads(trained.net->operations() *
                             static_cast<double>(config.batch_size / group_of(request).size()));
  const auto latent = c10::multiply_integers(trained.net->latent());
  KlBatches batches(request.samples, plan, scale, latent, request.seed);
  data::ModelCard card{.settings = settings, .notes = request.notes};
  KlObjective objective(
      plan, [&](std::int64_t step) { return batches.at(step); }, trained, kind.shape, device,
      [&] {
        KlParts parts = KlParts::make(plan.config, kind, scale, 0, device);
        return ModelCopy{std::make_shared<KlAutoencoderModel>(plan, card, kind, parts),
                         parts.parameters.get()};
      });
  tell_start(request, settings, *trained.parameters);
  Trained done = train(objective, config, request, identity_of(request, settings));
  KlParts parts = KlParts::make(plan.config, kind, scale, 0, device);
  parts.parameters->values().copy_(done.parameters.narrow(0, 0, parts.parameters->count()));
  measure_latents(parts, samples, request.seed);
  card.rounds = done.steps;
  card.history = std::move(done.history);
  return std::make_shared<KlAutoencoderModel>(plan, std::move(card), std::move(kind),
                                              std::move(parts));
}

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::FitKlAutoencoder gradatim_fit_kl_autoencoder;

std::shared_ptr<const gradatim::data::Model> gradatim_fit_kl_autoencoder(
    const gradatim::neural::KlPlan& plan, const gradatim::data::FitRequest& request,
    const gradatim::api::Settings& settings) {
  using namespace gradatim::neural;
  return translated([&] { return fit_kl(plan, request, settings); });
}
}
