// Discriminator: tells what an autoencoder decodes from what is real, patch by patch, as PatchGAN
// (Isola et al. 2017) does, but with group norms: a sample does not see the rest of its batch, and
// batches may be divided.
#pragma once

#include <vector>

#include "gradatim/neural/model/kl_autoencoder.h"
#include "gradatim/neural/nn/unet_layers.h"

namespace gradatim::neural {

class Discriminator {
 public:
  /// UsageError GRD-1202 where the samples are no images, or too small for its layers.
  Discriminator(const KlConfig& config, const Scope& scope,
                const std::vector<std::int64_t>& sample);
  /// [rows, 1, height, width]: above 0 where a patch seems real.
  Tensor operator()(const Tensor& x) const;

 private:
  std::vector<Convolution> convolutions_;
  std::vector<Norm> norms_;  // behind each, but the first and the last
};

/// What the discriminator loses by patches of real samples and of decoded ones, and the decoder by
/// the latter: hinge losses, means over patches and rows.
Tensor discriminator_loss(const Tensor& real, const Tensor& decoded);
Tensor generator_loss(const Tensor& decoded);

}  // namespace gradatim::neural
