// What networks compute one place after the other, for many rows at once: blocks [features, lanes]
// with a row in each lane, a multiple of kGroup. No sum goes across lanes and every sum has a fixed
// order, so what a row gives does not depend on the others.
#pragma once

#include <cstdint>

#include "gradatim/neural/nn/kernel/product.h"

namespace gradatim::neural::kernel {

/// Lanes whose keys and values lie together.
constexpr std::int64_t kGroup = 16;

/// y = gain (x - mean) / sqrt(variance + epsilon) + bias over the features; x and y [width, lanes].
struct LaneNorm {
  std::int64_t width, lanes;
  const float *gain, *bias;  // [width]
  float epsilon;
};
void layer_norm(const LaneNorm& norm, const float* x, float* y);

/// x [count], a multiple of kGroup, to its gelu by tanh, silu, or what is above 0.
void gelu_by_tanh(float* x, std::int64_t count);
void silu(float* x, std::int64_t count);
void relu(float* x, std::int64_t count);
/// y [count] = tanh(a) / (1 + exp(-b)).
void gate(const float* a, const float* b, float* y, std::int64_t count);

/// What a head keeps of the places so far, for a group of lanes: [places, width, kGroup].
struct KeptHead {
  const float *keys, *values;
  std::int64_t places, width;
  float scale;
};
/// out = softmax(scale q k') v; query and out: [width, kGroup] in rows of a block; scores: room for
/// [places, kGroup].
void attend(const KeptHead& head, Rows<const float> query, float* scores, Rows<float> out);

/// x = exp((x - most) factor), any count; 0 where that is below exp(-87). `most` is not below x.
void exponentials(float* x, std::int64_t count, float most, float factor);

}  // namespace gradatim::neural::kernel
