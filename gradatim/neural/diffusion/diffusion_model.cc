#include "gradatim/neural/diffusion/diffusion_model.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <numbers>

#include "gradatim/core/error.h"
#include "gradatim/neural/diffusion/diffusion_loss.h"
#include "gradatim/neural/diffusion/variance_loss.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/train/batches.h"

namespace gradatim::neural {
namespace {

constexpr const char* kMetadataKey = "gradatim.samples";

std::string to_json(const SampleKind& kind) {
  return nlohmann::json{{"shape", kind.shape},
                        {"classes", kind.classes},
                        {"columns", kind.columns},
                        {"bytes", kind.bytes},
                        {"source", kind.source}}
      .dump();
}

bool sound(const SampleKind& kind) {
  if (kind.shape.size() != 1 && kind.shape.size() != 3) return false;
  std::int64_t size = 1;
  for (const std::int64_t extent : kind.shape) {
    if (extent < 1 || extent > (std::int64_t{1} << 30) / size) return false;
    size *= extent;
  }
  return kind.columns.empty() || static_cast<std::int64_t>(kind.columns.size()) == size;
}

SampleKind kind_from(const SafetensorsFile& file) {
  try {
    const auto json = nlohmann::json::parse(file.metadata(kMetadataKey));
    SampleKind kind{json.at("shape").get<std::vector<std::int64_t>>(),
                    json.at("classes").get<std::vector<std::string>>(),
                    json.at("columns").get<std::vector<std::string>>(),
                    json.at("bytes").get<bool>(), json.at("source").get<bool>()};
    if (sound(kind)) return kind;
  } catch (const nlohmann::json::exception&) {
  }
  throw ModelError(3006, fmt::format("{}: its description of samples is damaged", file.source()));
}

}  // namespace

SampleKind SampleKind::of(const data::Samples& samples) {
  return {samples.shape, samples.classes, samples.columns, !samples.bytes.empty(), false};
}

DiffusionModel::DiffusionModel(DiffusionPlan plan, data::ModelCard card, SampleKind kind,
                               Scale scale, FieldParts parts)
    : plan_(std::move(plan)),
      card_(std::move(card)),
      kind_(std::move(kind)),
      scale_(std::move(scale)),
      parts_(std::move(parts)) {}

std::shared_ptr<const DiffusionModel> DiffusionModel::load(const DiffusionPlan& plan,
                                                           const SafetensorsFile& file,
                                                           const data::ModelCard& card) {
  SampleKind kind = kind_from(file);
  const auto dims = c10::multiply_integers(kind.shape);
  FieldParts parts = field_parts(plan, kind, 0, at::kCPU);
  parts.net->parameters().load(file, "network.");
  return std::make_shared<DiffusionModel>(plan, card, std::move(kind), Scale::load(file, dims),
                                          std::move(parts));
}

std::string DiffusionModel::bytes() const {
  SafetensorsWriter file;
  data::store_card(card_, file);
  file.set_metadata(kMetadataKey, to_json(kind_));
  scale_.store(file);
  parts_.net->parameters().store(file, parts_.net->parameters().values(), "network.");
  return file.bytes();
}

std::shared_ptr<const data::Model> DiffusionModel::on(const std::string& device) const {
  return translated([&]() -> std::shared_ptr<const data::Model> {
    const at::Device place = device_of(device);
    if (place == parts_.device) return shared_from_this();
    FieldParts parts = field_parts(plan_, kind_, 0, place);
    parts.net->parameters().values().copy_(parts_.net->parameters().values());
    return std::make_shared<DiffusionModel>(plan_, card_, kind_, scale_, std::move(parts));
  });
}

std::shared_ptr<const process::Field> DiffusionModel::field() const {
  return std::make_shared<DiffusionField>(parts_);
}

api::Settings DiffusionModel::sampler() const {
  api::Settings settings{.component = "process.sampler"};
  for (const char* part : {"path", "prediction"}) {
    settings.parts[part] = card_.settings.parts.at(part);
  }
  return settings;
}

double DiffusionModel::log_scale() const {
  return scale_.log_scale(c10::multiply_integers(kind_.shape));
}

// The loss of training, on noise and times drawn anew by the seed, and the bound in bits a number.
std::vector<std::pair<std::string, double>> DiffusionModel::evaluate_samples(
    const data::Samples& samples, std::uint64_t seed) const {
  return translated([&] {
    check_kind(samples);
    const at::NoGradGuard plain;
    const TorchThreads threads;
    const auto kept = std::shared_ptr<const data::Samples>(&samples, [](const auto*) {});
    constexpr std::int64_t kRows = 256, kSteps = 64;
    const auto variance = variance_loss(plan_, scale_, kind_.bytes);
    BatchesRequest asked{.samples = kept, .rows = kRows, .seed = seed};
    if (variance) asked = variance->asked(std::move(asked));
    Batches batches(plan_, scale_, std::move(asked));
    double sum = 0.0;
    for (std::int64_t step = 0; step < kSteps; ++step) {
      Batch batch = batches.at(step);
      auto tensors = tensors_of(batch, parts_.shape, 0, kRows, parts_.device);
      if (variance) variance->add_to(tensors, batch, parts_, 0, kRows);
      sum += loss_of(*parts_.net, tensors);
    }
    std::vector<std::pair<std::string, double>> metrics{{"loss", sum / kSteps}};
    if (!variance) return metrics;
    const Bound bound = variational_bound(parts_, plan_, *variance, scale_, kept, seed);
    // Of data that are no bytes a density, in the data's own units.
    const double units = log_scale() / (std::numbers::ln2 * static_cast<double>(samples.size()));
    metrics.emplace_back("vlb", bound.bits - (variance->binned() ? 0.0 : units));
    metrics.emplace_back("vlb_error", bound.error);
    return metrics;
  });
}

void DiffusionModel::check_kind(const data::Samples& samples) const {
  GRADATIM_CHECK(samples.shape == kind_.shape, DataError, 2090,
                 "the samples have shape [{}] and the model's [{}]", fmt::join(samples.shape, ", "),
                 fmt::join(kind_.shape, ", "));
}

}  // namespace gradatim::neural
