// KlObjective: what neural.kl_autoencoder learns by: reconstruction, divergence and, where one is
// wanted, a discriminator. Its parameters lie behind the autoencoder's, in the same buffers: one
// optimiser serves both, since their losses' gradients reach one of the two each.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "gradatim/neural/latent/discriminator.h"
#include "gradatim/neural/latent/kl_model.h"
#include "gradatim/neural/train/batch_objective.h"

namespace gradatim::neural {

/// States in the order of training, x, with normal numbers for their latents in `target` and the
/// discriminator's weight in `weight`; step s is a pure function of (seed, s).
class KlBatches {
 public:
  KlBatches(std::shared_ptr<const data::Samples> samples, const KlPlan& plan, const Scale& scale,
            std::int64_t latent, std::uint64_t seed);
  Batch at(std::int64_t step);

 private:
  std::shared_ptr<const data::Samples> samples_;
  KlPlan plan_;
  Scale scale_;
  std::int64_t latent_;  // numbers of one
  std::uint64_t seed_;
  Order order_;
};

/// The networks that are trained.
struct KlTrained {
  std::shared_ptr<Parameters> parameters = std::make_shared<Parameters>();
  std::unique_ptr<KlNet> net;
  std::optional<Discriminator> discriminator;
  std::size_t own = 0;  // parameters of the autoencoder, in front of the discriminator's

  static KlTrained make(const KlConfig& config, const std::vector<std::int64_t>& sample,
                        std::uint64_t seed, at::Device device);
};

class KlObjective final : public BatchObjective {
 public:
  KlObjective(const KlPlan& plan, std::function<Batch(std::int64_t)> batches, KlTrained& trained,
              std::vector<std::int64_t> sample, at::Device device,
              std::function<ModelCopy()> make_copy);

  /// The loss of rows of a batch, without the discriminator's, over all of its rows; adds the
  /// gradients of all losses.
  double learn(Batch& batch, std::int64_t first, std::int64_t rows) override;

 private:
  void learn_against(const Tensor& x, const Tensor& decoded, const Tensor& loss,
                     const Tensor& reconstruction, double weight, double share);

  KlConfig config_;
  KlTrained& trained_;
  std::vector<std::int64_t> sample_;
  at::Device device_;
};

}  // namespace gradatim::neural
