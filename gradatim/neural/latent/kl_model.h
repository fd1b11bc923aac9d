// KlAutoencoderModel: what neural.kl_autoencoder saves: latents of samples, samples of latents.
//
// Rows go through the network in chunks of a fixed number, the last one padded: a row's bits do not
// depend on how many are asked for.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gradatim/data/model.h"
#include "gradatim/neural/latent/kl_net.h"
#include "gradatim/neural/train/sample_kind.h"
#include "gradatim/neural/train/scale.h"
#include "gradatim/process/latent.h"

namespace gradatim::neural {

struct KlParts {
  std::shared_ptr<Parameters> parameters;
  std::shared_ptr<const KlNet> net;
  Scale scale;
  double factor = 1.0;  // that latents are multiplied by, so that their deviation is 1
  double error = 0.0;   // deviation of a state from what is decoded; 0: not known
  at::Device device = at::kCPU;

  /// The network with its initial values.
  static KlParts make(const KlConfig& config, const SampleKind& kind, Scale scale,
                      std::uint64_t seed, at::Device device);
};

class KlAutoencoderModel final : public data::Model, public process::LatentCoder {
 public:
  KlAutoencoderModel(KlPlan plan, data::ModelCard card, SampleKind kind, KlParts parts)
      : plan_(std::move(plan)),
        card_(std::move(card)),
        kind_(std::move(kind)),
        parts_(std::move(parts)) {}
  static std::shared_ptr<const KlAutoencoderModel> load(const KlPlan& plan,
                                                        const SafetensorsFile& file,
                                                        const data::ModelCard& card);

  const data::ModelCard& card() const override { return card_; }
  bool takes_samples() const override { return true; }
  std::vector<std::pair<std::string, double>> evaluate_samples(const data::Samples& samples,
                                                               std::uint64_t seed) const override;
  std::string bytes() const override;
  std::shared_ptr<const data::Model> on(const std::string& device) const override;

  std::span<const std::int64_t> shape() const override { return kind_.shape; }
  std::span<const std::string> classes() const override { return {}; }
  std::span<const std::string> columns() const override { return kind_.columns; }
  bool holds_bytes() const override { return kind_.bytes; }
  std::span<const std::int64_t> latent_shape() const override { return parts_.net->latent(); }
  std::vector<float> encode(std::span<const double> data,
                            const process::LatentRequest& request) const override;
  std::vector<float> decode(std::span<const double> latents,
                            const process::LatentRequest& request) const override;

  const KlPlan& plan() const { return plan_; }
  const SampleKind& kind() const { return kind_; }
  const KlParts& parts() const { return parts_; }

 private:
  KlPlan plan_;
  data::ModelCard card_;
  SampleKind kind_;
  KlParts parts_;
};

/// Rows [first, first + rows) of many, of `size` that are computed.
struct KlChunk {
  std::int64_t first, rows, size;
};
/// f of chunks of a fixed number of rows.
void for_kl_chunks(const KlParts& parts, std::int64_t dims, std::int64_t rows,
                   const std::function<void(const KlChunk&)>& f);

/// States [size, sample...] of samples [first, first + size), the last one again where there are no
/// more.
Tensor kl_states(const KlParts& parts, const data::Samples& samples, const KlChunk& chunk);
/// Normal numbers of rows [first, first + size), like the latents: pure functions of (seed, row).
Tensor kl_noise(const KlParts& parts, std::uint64_t seed, std::int64_t first, std::int64_t size);

/// What a model knows of the samples that it learned from: factor and error of its parts.
void measure_latents(KlParts& parts, const data::Samples& samples, std::uint64_t seed);

}  // namespace gradatim::neural
