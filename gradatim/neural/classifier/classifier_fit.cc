// Fits neural.classifier: batches, the objective of the training loop, and the edge to libgradatim.
#include <fmt/format.h>

#include <functional>

#include "gradatim/core/error.h"
#include "gradatim/neural/classifier/classifier_loss.h"
#include "gradatim/neural/classifier/classifier_model.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/train/batch_objective.h"
#include "gradatim/neural/train/identity.h"
#include "gradatim/neural/train/start.h"

namespace gradatim::neural {
namespace {

class ClassifierObjective final : public BatchObjective {
 public:
  ClassifierObjective(const ClassifierPlan& plan, Batches batches, ClassifierParts parts,
                      std::function<ModelCopy()> make_copy)
      : BatchObjective(parts.net->parameters(), plan.training->config().accumulate,
                       stream_of(std::move(batches)), std::move(make_copy)),
        smoothing_(plan.config.label_smoothing),
        parts_(std::move(parts)) {}

 protected:
  double learn(Batch& batch, std::int64_t first, std::int64_t rows) override {
    const LabelTensors tensors{input_of(batch, parts_.shape, first, rows, parts_.device),
                               rows_of(batch.signal, first, {rows}, parts_.device),
                               rows_of(batch.labels, first, {rows}, parts_.device)};
    return learn_labels(*parts_.net, tensors, parts_.log_shares, smoothing_, batch.rows);
  }

 private:
  double smoothing_;
  ClassifierParts parts_;
};

void check_classifier(const ClassifierPlan& plan, const data::FitRequest& request) {
  GRADATIM_CHECK(request.samples != nullptr, UsageError, 1010,
                 "neural.classifier learns from samples; give it some");
  GRADATIM_CHECK(
      request.samples->given_columns.empty(), UsageError, 1192,
      "neural.classifier takes no numbers that are given; leave them out, or take neural.flow");
  GRADATIM_CHECK(request.init_model == nullptr, UsageError, 1036,
                 "neural.classifier does not go on from a model; leave out init_model, or give a "
                 "checkpoint's folder by resume");
  GRADATIM_CHECK(request.source == nullptr, UsageError, 1002,
                 "a source is for models that are sampled from; leave it out of "
                 "neural.classifier");
  GRADATIM_CHECK(plan.training->config().sample_every == 0, UsageError, 1181,
                 "sample_every is for models that are sampled from; leave it out of "
                 "neural.classifier");
  const data::Samples& samples = *request.samples;
  GRADATIM_CHECK(!samples.labels.empty(), DataError, 2092,
                 "neural.classifier learns labels and the samples have none; name them by --label");
  GRADATIM_CHECK(samples.classes.size() >= 2, DataError, 2093,
                 "neural.classifier tells classes apart and the samples have one class, '{}'",
                 samples.classes.front());
}

// One more of each class, so that none is impossible.
Tensor log_shares_of(const data::Samples& samples) {
  const Tensor counts = at::ones({static_cast<std::int64_t>(samples.classes.size())}, at::kDouble);
  for (const std::int64_t label : samples.labels) counts.data_ptr<double>()[label] += 1.0;
  return (counts / counts.sum()).log_().to(at::kFloat);
}

std::shared_ptr<const data::Model> fit_classifier(ClassifierPlan plan,
                                                  const data::FitRequest& request,
                                                  api::Settings settings) {
  check_classifier(plan, request);
  const data::Samples& samples = *request.samples;
  if (plan.network == nullptr) {
    const char* name =
        samples.is_images() ? "neural.network.conv_classifier" : "neural.network.mlp";
    settings.parts["network"] = api::complete({.component = name});
    plan.network = api::build_as<Network>(settings.parts["network"]);
  }
  const SampleKind kind = SampleKind::of(samples);
  const Scale scale(plan.config.scaling, samples);
  const ClassifierParts parts =
      classifier_parts(plan, kind, log_shares_of(samples), request.seed, device_of(request.device));
  const TrainingConfig& config = plan.training->config();
  parts.net->set_precision(config.precision);
  const TorchThreads threads(3.0 * parts.net->operations_at_once() *
                             static_cast<double>(config.batch_size / group_of(request).size()));
  Batches batches({.path = plan.path,
                   .times = plan.times,
                   .noised = plan.config.noised,
                   .flip = plan.config.flip},
                  scale,
                  {.samples = request.samples,
                   .source = nullptr,
                   .rows = config.batch_size,
                   .shuffle = config.shuffle,
                   .seed = request.seed});
  data::ModelCard card{.settings = settings,
                       .classification = true,
                       .classes = samples.classes,
                       .notes = request.notes};
  ClassifierObjective objective(plan, std::move(batches), parts, [&] {
    const ClassifierParts own = classifier_parts(plan, kind, parts.log_shares, 0, parts.device);
    return ModelCopy{std::make_shared<ClassifierModel>(plan, card, kind, scale, own),
                     &own.net->parameters()};
  });
  tell_start(request, settings.parts.at("network"), parts.net->parameters());
  Trained trained = train(objective, config, request, identity_of(request, settings));
  parts.net->parameters().values().copy_(trained.parameters);
  parts.net->end_training();
  card.rounds = trained.steps;
  card.history = std::move(trained.history);
  return std::make_shared<ClassifierModel>(plan, std::move(card), kind, scale, parts);
}

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::FitClassifier gradatim_fit_classifier;
gradatim::neural::LoadClassifier gradatim_load_classifier;

std::shared_ptr<const gradatim::data::Model> gradatim_fit_classifier(
    const gradatim::neural::ClassifierPlan& plan, const gradatim::data::FitRequest& request,
    const gradatim::api::Settings& settings) {
  using namespace gradatim::neural;
  return translated([&] { return fit_classifier(plan, request, settings); });
}

std::shared_ptr<const gradatim::data::Model> gradatim_load_classifier(
    const gradatim::neural::ClassifierPlan& plan, const gradatim::SafetensorsFile& file,
    const gradatim::data::ModelCard& card) {
  using namespace gradatim::neural;
  return translated([&]() -> std::shared_ptr<const gradatim::data::Model> {
    return ClassifierModel::load(plan, file, card);
  });
}
}
