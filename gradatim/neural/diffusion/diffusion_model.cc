#include "gradatim/neural/diffusion/diffusion_model.h"

#include <fmt/format.h>

#include <numbers>

#include "gradatim/core/error.h"
#include "gradatim/neural/diffusion/diffusion_loss.h"
#include "gradatim/neural/diffusion/variance_loss.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/size.h"
#include "gradatim/neural/train/batches.h"

namespace gradatim::neural {
namespace {

// Places of a batch's labels among the model's classes; the number of them is "anything". Where
// captions are learned, those of samples without are "anything", too.
class KnownLabels {
 public:
  KnownLabels(const SampleKind& kind, const data::Samples& samples, const CaptionTokens* captions)
      : captions_(captions), anything_(static_cast<std::int64_t>(kind.classes.size())) {
    if (kind.classes.empty()) return;
    places_ = kind.places_of(samples);
    places_.push_back(anything_);
  }

  void set(Batch& batch) const {
    for (std::int64_t k = 0; captions_ != nullptr && k < batch.rows; ++k) {
      if (std::ssize(batch.tokens) == batch.rows * captions_->length()) break;
      const auto& empty = captions_->anything();
      batch.tokens.insert(batch.tokens.end(), empty.begin(), empty.end());
    }
    if (batch.labels.empty() || places_.empty()) {
      batch.labels.assign(to_size(batch.rows), anything_);
    } else {
      for (auto& label : batch.labels) label = places_[to_size(label)];
    }
  }

 private:
  const CaptionTokens* captions_;
  std::int64_t anything_;
  std::vector<std::int64_t> places_;  // by the place among the samples' classes
};

}  // namespace

std::shared_ptr<const DiffusionModel> DiffusionModel::load(const DiffusionPlan& plan,
                                                           const SafetensorsFile& file,
                                                           const data::ModelCard& card) {
  GRADATIM_CHECK(plan.network != nullptr, ModelError, 3006, "{}: its settings name no network",
                 file.source());
  SampleKind kind = SampleKind::load(file);
  GRADATIM_CHECK(!kind.captions || plan.text != nullptr, ModelError, 3006,
                 "{}: its settings name no text encoder", file.source());
  const std::int64_t dims = kind.dims();
  FieldParts parts = field_parts(plan, kind, file);
  return std::make_shared<DiffusionModel>(plan, card, std::move(kind), Scale::load(file, dims),
                                          std::move(parts));
}

std::shared_ptr<const FieldModel> DiffusionModel::again(at::Device device) const {
  return std::make_shared<DiffusionModel>(plan_, card(), kind(), scale(),
                                          field_parts(plan_, kind(), parts().captions, 0, device));
}

api::Settings DiffusionModel::sampler() const {
  api::Settings settings{.component = "process.sampler"};
  for (const char* part : {"path", "prediction"}) {
    settings.parts[part] = card().settings.parts.at(part);
  }
  return settings;
}

// The loss of training, on noise and times drawn anew by the seed, and the bound in bits a number.
std::vector<std::pair<std::string, double>> DiffusionModel::evaluate_samples(
    const data::Samples& samples, std::uint64_t seed) const {
  return translated([&] {
    kind().check(samples);
    if (kind().source) cannot("that starts from samples has no loss without them");
    const at::NoGradGuard plain;
    const TorchThreads threads(parts().net->operations_at_once() * 256.0);
    const auto kept = std::shared_ptr<const data::Samples>(&samples, [](const auto*) {});
    constexpr std::int64_t kRows = 256, kSteps = 64;
    const auto variance = variance_loss(plan_, scale(), kind().bytes);
    // Other draws than those of a training with this seed.
    BatchesRequest asked{.samples = kept, .rows = kRows, .seed = ~seed};
    if (!samples.captioned.empty()) asked.captions = parts().captions;
    if (variance) asked = variance->asked(std::move(asked));
    Batches batches(batch_plan(plan_), scale(), std::move(asked));
    const KnownLabels known(kind(), samples, parts().captions.get());
    double sum = 0.0;
    for (std::int64_t step = 0; step < kSteps; ++step) {
      Batch batch = batches.at(step);
      known.set(batch);
      auto tensors = tensors_of(batch, parts().shape, 0, kRows, parts().device);
      if (variance) variance->add_to(tensors, batch, parts(), 0, kRows);
      sum += loss_of(*parts().net, tensors);
    }
    std::vector<std::pair<std::string, double>> metrics{{"loss", sum / kSteps}};
    if (!variance) return metrics;
    const Bound bound = variational_bound(parts(), plan_, *variance, scale(), kept, seed,
                                          [&](Batch& batch) { known.set(batch); });
    // Of data that are no bytes a density, in the data's own units.
    const double units = log_scale() / (std::numbers::ln2 * static_cast<double>(samples.size()));
    metrics.emplace_back("vlb", bound.bits - (variance->binned() ? 0.0 : units));
    metrics.emplace_back("vlb_error", bound.error);
    return metrics;
  });
}

}  // namespace gradatim::neural
