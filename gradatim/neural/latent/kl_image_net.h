// The KlNet of images, layer by layer.
#pragma once

#include "gradatim/neural/latent/kl_net.h"
#include "gradatim/neural/nn/memory.h"
#include "gradatim/neural/nn/unet_layers.h"

namespace gradatim::neural {

/// The blocks of one level, and what halves or doubles images behind them.
struct KlLevel {
  std::vector<ResidualBlock> blocks;
  std::optional<Convolution> resample;
};

/// Two blocks at the coarsest level, and attention between them.
struct KlMiddle {
  std::vector<ResidualBlock> blocks;
  std::optional<AttentionBlock> attention;
};

/// Levels in the order of the computation: from the finest in an encoder, from the coarsest in a
/// decoder.
struct KlHalf {
  KlHalf(const Scope& scope, std::int64_t in, std::int64_t out, std::int64_t first)
      : conv_in(scope / "conv_in", in, first, 3), out_channels(out) {}
  /// Once all blocks are there.
  void close(const Scope& scope, std::int64_t last, const UnetConfig& layers);

  Convolution conv_in;
  std::vector<KlLevel> levels;
  KlMiddle middle;
  Norm norm_out;
  std::optional<Convolution> conv_out;
  std::int64_t out_channels;
};

class KlImageNet final : public KlNet {
 public:
  KlImageNet(const KlConfig& config, const Scope& scope, const std::vector<std::int64_t>& sample);

  Posterior encode(const Tensor& x) const override;
  Tensor decode(const Tensor& z) const override;
  Tensor decode_in_stripes(const Tensor& z, std::int64_t pixels) const override;
  const Tensor& last_weight() const override { return decoder_.conv_out->weight; }
  double operations() const override { return operations_; }

 private:
  KeptMemory kept_;
  UnetConfig layers_;  // what its blocks take of a U-Net's settings
  KlHalf encoder_, decoder_;
  Convolution quant_conv_, post_quant_conv_;
  double operations_;
};

/// x through a block that knows no time.
Tensor through_block(const ResidualBlock& block, const Tensor& x);

}  // namespace gradatim::neural
