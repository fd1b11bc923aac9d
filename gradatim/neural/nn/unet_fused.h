// Blocks of a U-Net on a processor, with backward passes written by hand: what lies between two
// convolutions is one pass over memory each way (kernel/group_norm.h), the channels of a skip
// connection are never copied behind the others, and only the inputs of convolutions are kept.
#pragma once

#include "gradatim/neural/nn/unet_layers.h"

namespace gradatim::neural {

/// Before the division by the block's scale. modulation: [rows, out or 2 out]; it and mask:
/// undefined for none.
Tensor fused_residual(const ResidualBlock& block, bool scale_shift, const Tensor& x,
                      const Tensor& skip, const Tensor& modulation, const Tensor& mask);
Tensor fused_attention(const AttentionBlock& block, const Tensor& x);
Tensor fused_norm(const Norm& norm, const Tensor& x);
Tensor fused_norm_silu(const Norm& norm, const Tensor& x);
/// softmax(q k' / sqrt(d)) v of each head; query: [rows, tokens, channels], key and value: [rows,
/// keys, channels] -> like query.
Tensor fused_mix(const Tensor& query, const Tensor& key, const Tensor& value, std::int64_t heads);
/// value gelu(gate); projected: [..., 2 inner], values first -> [..., inner].
Tensor fused_geglu(const Tensor& projected);

}  // namespace gradatim::neural
