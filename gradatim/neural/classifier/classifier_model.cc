#include "gradatim/neural/classifier/classifier_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/neural/classifier/classifier_loss.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/nn/states.h"
#include "gradatim/neural/train/batches.h"

namespace gradatim::neural {

namespace {

constexpr const char* kShares = "log_shares";

Tensor read_shares(const SafetensorsFile& file, const SampleKind& kind) {
  const auto numbers = file.read<float>(kShares, static_cast<std::int64_t>(kind.classes.size()));
  const Tensor shares = at::tensor(at::ArrayRef<float>(numbers));
  GRADATIM_CHECK(shares.isfinite().all().item<bool>(), ModelError, 3061,
                 "{}: '{}' holds NaN or infinity", file.source(), kShares);
  return shares;
}

NetworkShape scores_shape(const ClassifierPlan& plan, const SampleKind& kind, std::uint64_t seed) {
  NetworkShape shape = network_shape(kind, *plan.path, seed);
  shape.scores = static_cast<std::int64_t>(kind.classes.size());
  return shape;
}

}  // namespace

ClassifierParts classifier_parts(const ClassifierPlan& plan, const SampleKind& kind,
                                 const Tensor& log_shares, std::uint64_t seed, at::Device device) {
  const NetworkShape shape = scores_shape(plan, kind, seed);
  return {make_net(*plan.network, shape, device), plan.path, shape, log_shares.to(device), device};
}

ClassifierModel::ClassifierModel(ClassifierPlan plan, data::ModelCard card, SampleKind kind,
                                 Scale scale, ClassifierParts parts)
    : plan_(std::move(plan)),
      card_(std::move(card)),
      kind_(std::move(kind)),
      scale_(std::move(scale)),
      parts_(std::move(parts)) {}

std::shared_ptr<const ClassifierModel> ClassifierModel::load(const ClassifierPlan& plan,
                                                             const SafetensorsFile& file,
                                                             const data::ModelCard& card) {
  SampleKind kind = SampleKind::load(file);
  GRADATIM_CHECK(plan.network != nullptr && card.classification && card.classes == kind.classes,
                 ModelError, 3006, "{}: its description of samples is damaged", file.source());
  Scale scale = Scale::load(file, kind.dims());
  const NetworkShape shape = scores_shape(plan, kind, 0);
  ClassifierParts parts{load_net(*plan.network, shape, file, "network."), plan.path, shape,
                        read_shares(file, kind), at::kCPU};
  return std::make_shared<ClassifierModel>(plan, card, std::move(kind), std::move(scale),
                                           std::move(parts));
}

std::string ClassifierModel::bytes() const {
  SafetensorsWriter file;
  data::store_card(card_, file);
  kind_.store(file);
  scale_.store(file);
  const Tensor shares = parts_.log_shares.to(at::kCPU);
  file.add(kShares, std::span(shares.const_data_ptr<float>(), kind_.classes.size()));
  parts_.net->parameters().store(file, parts_.net->parameters().values(), "network.");
  return file.bytes();
}

std::shared_ptr<const data::Model> ClassifierModel::on(const std::string& device) const {
  return translated([&]() -> std::shared_ptr<const data::Model> {
    const at::Device place = device_of(device);
    if (place == parts_.device) return shared_from_this();
    ClassifierParts parts = classifier_parts(plan_, kind_, parts_.log_shares, 0, place);
    parts.net->parameters().values().copy_(parts_.net->parameters().values());
    return std::make_shared<ClassifierModel>(plan_, card_, kind_, scale_, std::move(parts));
  });
}

std::shared_ptr<const process::Energy> ClassifierModel::energy(
    std::shared_ptr<const process::Labels> labels, std::shared_ptr<const process::Path> path,
    process::StateMap map) const {
  GRADATIM_CHECK(plan_.config.noised > 0.0, UsageError, 1171,
                 "the classifier learned from clean samples alone and knows nothing of noised "
                 "ones; train one with noised above 0");
  for (const std::int64_t label : labels->all()) {
    GRADATIM_CHECK(label >= 0 && label < parts_.shape.scores, UsageError, 1104,
                   "there is no label {}; the classifier's are 0 to {}", label,
                   parts_.shape.scores - 1);
  }
  return std::make_shared<ClassifierEnergy>(parts_, std::move(labels), std::move(path),
                                            std::move(map));
}

Tensor ClassifierModel::of_clean(
    std::int64_t count, const std::function<void(std::int64_t row, std::span<float> state)>& fill,
    const std::function<Tensor(const NetInput&)>& say) const {
  const at::NoGradGuard plain;
  const std::int64_t dims = kind_.dims(), chunk = chunk_rows(parts_.shape);
  const TorchThreads threads(parts_.net->operations_at_once() * static_cast<double>(chunk));
  const Tensor t = at::full({chunk}, told_time(*plan_.path, 0.0), at::kFloat).to(parts_.device);
  Tensor result = at::empty({0, 0}, at::kDouble);
  for (std::int64_t first = 0; first < count; first += chunk) {
    check_interrupt();
    const std::int64_t rows = std::min(chunk, count - first);
    const Tensor states = at::empty({rows, dims}, at::kFloat);
    for (std::int64_t row = 0; row < rows; ++row) {
      fill(first + row, {states.data_ptr<float>() + row * dims, to_size(dims)});
    }
    const Tensor x = shaped(padded(states, 0, chunk), parts_.shape).to(parts_.device);
    const Tensor said = say({x, t, Tensor()}).narrow(0, 0, rows);
    if (first == 0) result = at::empty({count, said.size(1)}, at::kDouble);
    result.narrow(0, first, rows).copy_(said);
  }
  return result;
}

Tensor ClassifierModel::log_chances(const data::Samples& samples) const {
  kind_.check(samples);
  const Tensor signal = at::ones({chunk_rows(parts_.shape)}, parts_.log_shares.options());
  return of_clean(
      samples.count,
      [&](std::int64_t row, std::span<float> state) { scale_.row(samples, row, state); },
      [&](const NetInput& input) {
        const Tensor output = parts_.net->forward(input);
        return log_chances_of(output.to(at::kDouble), parts_.log_shares, signal);
      });
}

std::vector<double> ClassifierModel::features(std::vector<double> samples) const {
  return translated([&] {
    scale_.to_states(samples);
    const std::int64_t dims = kind_.dims();
    const Tensor found = of_clean(
        std::ssize(samples) / dims,
        [&](std::int64_t row, std::span<float> state) {
          std::copy_n(samples.begin() + row * dims, dims, state.begin());
        },
        [&](const NetInput& input) { return parts_.net->features(input); });
    const double* numbers = found.const_data_ptr<double>();
    return std::vector<double>(numbers, numbers + found.numel());
  });
}

data::Predictions ClassifierModel::predict_samples(const data::Samples& samples) const {
  return translated([&] {
    const Tensor chances = log_chances(samples).exp_();
    const double* numbers = chances.const_data_ptr<double>();
    return data::Predictions{{numbers, numbers + chances.numel()},
                             static_cast<int>(parts_.shape.scores)};
  });
}

// Labels are compared by their words: the samples may have fewer classes, or in another order.
std::vector<std::pair<std::string, double>> ClassifierModel::evaluate_samples(
    const data::Samples& samples, std::uint64_t) const {
  return translated([&] {
    GRADATIM_CHECK(!samples.labels.empty(), DataError, 2092,
                   "the samples have no labels to compare with; name them by --label");
    const std::vector<std::int64_t> places = kind_.places_of(samples);
    const Tensor chances = log_chances(samples);
    double right = 0.0, loss = 0.0;
    for (std::int64_t row = 0; row < samples.count; ++row) {
      const double* log_p = chances.const_data_ptr<double>() + row * chances.size(1);
      const auto wanted = places[to_size(samples.labels[to_size(row)])];
      right += std::max_element(log_p, log_p + chances.size(1)) - log_p == wanted ? 1.0 : 0.0;
      loss -= log_p[wanted];
    }
    const auto count = static_cast<double>(samples.count);
    return std::vector<std::pair<std::string, double>>{{"accuracy", right / count},
                                                       {"log_loss", loss / count}};
  });
}

}  // namespace gradatim::neural
