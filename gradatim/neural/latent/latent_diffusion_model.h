// LatentDiffusionModel: what neural.latent_diffusion saves: a diffusion whose states are an
// autoencoder's latents. Both are whole models, and lie in its file as such.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gradatim/neural/diffusion/field_model.h"
#include "gradatim/process/latent.h"

namespace gradatim::neural {

/// UsageError GRD-1210 where a component's models have no latents.
void check_has_latents(const std::string& component);
/// A saved autoencoder as one with latents. Errors of check_has_latents().
const process::LatentCoder& latents_of(const data::Model& model);
/// Samples as latents, with their labels and captions.
data::Samples latent_samples(const process::LatentCoder& coder, const data::Samples& samples);

class LatentDiffusionModel final : public data::Model, public process::Generator {
 public:
  LatentDiffusionModel(data::ModelCard card, std::shared_ptr<const data::Model> autoencoder,
                       std::shared_ptr<const FieldModel> diffusion)
      : card_(std::move(card)),
        autoencoder_(std::move(autoencoder)),
        coder_(latents_of(*autoencoder_)),
        diffusion_(std::move(diffusion)) {}
  /// ModelError GRD-3076 where its two models are none, or do not fit each other.
  static std::shared_ptr<const LatentDiffusionModel> load(const SafetensorsFile& file,
                                                          const data::ModelCard& card);

  const data::Model& autoencoder() const { return *autoencoder_; }
  const FieldModel& diffusion() const { return *diffusion_; }

  const data::ModelCard& card() const override { return card_; }
  bool takes_samples() const override { return true; }
  std::vector<std::pair<std::string, double>> evaluate_samples(const data::Samples& samples,
                                                               std::uint64_t seed) const override;
  std::string bytes() const override;
  std::shared_ptr<const data::Model> on(const std::string& device) const override;

  std::shared_ptr<const process::Field> field() const override { return diffusion_->field(); }
  std::shared_ptr<const process::Path> path() const override { return diffusion_->path(); }
  api::Settings sampler() const override { return diffusion_->sampler(); }
  std::span<const std::int64_t> shape() const override { return coder_.shape(); }
  std::span<const std::int64_t> state_shape() const override { return diffusion_->shape(); }
  std::span<const std::string> classes() const override { return diffusion_->classes(); }
  std::span<const std::string> columns() const override { return coder_.columns(); }
  bool holds_bytes() const override { return coder_.holds_bytes(); }
  bool takes_texts() const override { return diffusion_->takes_texts(); }
  void to_data(std::span<float> states) const override { diffusion_->to_data(states); }
  void to_states(std::span<double> data) const override { diffusion_->to_states(data); }
  double log_scale() const override { return diffusion_->log_scale(); }
  std::vector<float> data_of(std::vector<float> states) const override;
  std::vector<double> states_of(std::vector<double> data) const override;

 private:
  data::ModelCard card_;
  std::shared_ptr<const data::Model> autoencoder_;
  const process::LatentCoder& coder_;
  std::shared_ptr<const FieldModel> diffusion_;
};

}  // namespace gradatim::neural
