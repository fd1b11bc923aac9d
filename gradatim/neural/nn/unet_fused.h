// Blocks of a U-Net on a processor, with backward passes written by hand: what lies between two
// convolutions is one pass over memory each way (kernel/group_norm.h), the channels of a skip
// connection are never copied behind the others, and only the inputs of convolutions are kept.
#pragma once

#include "gradatim/neural/nn/unet_layers.h"

namespace gradatim::neural {

/// Whether nothing is to go back, and float32 is multiplied: passes may write over what they made.
bool only_forward();

/// Before the division by the block's scale. modulation: [rows, out or 2 out]; it and mask:
/// undefined for none.
Tensor fused_residual(const ResidualBlock& block, bool scale_shift, const Tensor& x,
                      const Tensor& skip, const Tensor& modulation, const Tensor& mask);
/// The same where only_forward().
Tensor forward_residual(const ResidualBlock& block, bool scale_shift, const Tensor& x,
                        const Tensor& skip, const Tensor& modulation);
Tensor fused_attention(const AttentionBlock& block, const Tensor& x);
/// Of one that is held.
Tensor forward_attention(const AttentionBlock& block, const Tensor& x);
Tensor fused_norm(const Norm& norm, const Tensor& x);
Tensor fused_norm_silu(const Norm& norm, const Tensor& x);
/// softmax(q k' / sqrt(d)) v of each head, by the kernel or by torch, whichever is faster; query:
/// [rows, tokens, channels], key and value: [rows, keys, channels] -> like query.
Tensor mixed(const Tensor& query, const Tensor& key, const Tensor& value, std::int64_t heads);
Tensor fused_mix(const Tensor& query, const Tensor& key, const Tensor& value, std::int64_t heads);
/// value gelu(gate); projected: [..., 2 inner], values first -> [..., inner].
Tensor fused_geglu(const Tensor& projected);

}  // namespace gradatim::neural
