// LatentCoder: a saved model that maps samples to smaller latents, about as random as normal
// numbers, and back, not exactly. What a diffusion of latents is drawn through.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gradatim/process/sample_space.h"

namespace gradatim::process {

struct LatentRequest {
  std::int64_t rows = 1;
  // Latents are drawn from what the model thinks of a sample, by this seed; without, its mean.
  std::optional<std::uint64_t> seed = std::nullopt;
  std::int64_t first_row = 0;  // number of the first of these rows among all, for draws
  // Where it is more than 0, samples are decoded one by one, and images in parts of about so many
  // pixels: the same numbers but for rounding, in less memory.
  std::int64_t tile = 0;
};

class LatentCoder : public SampleSpace {
 public:
  /// Of one sample: {numbers}, or {channels, height, width}.
  virtual std::span<const std::int64_t> latent_shape() const = 0;
  /// Latents [rows, numbers] of data [rows, dims]: over all samples that it learned from, of
  /// deviation 1. A row's latents do not depend on the rows beside it. UsageError GRD-1203 where
  /// the numbers are not those of so many rows, NumericError GRD-4040 where a row leads out of the
  /// range of floats.
  virtual std::vector<float> encode(std::span<const double> data,
                                    const LatentRequest& request) const = 0;
  /// Data [rows, dims] of latents [rows, numbers]. Errors of encode().
  virtual std::vector<float> decode(std::span<const double> latents,
                                    const LatentRequest& request) const = 0;
};

/// Numbers of one latent.
inline std::int64_t latent_dims_of(const LatentCoder& coder) {
  return extents_of(coder.latent_shape());
}

}  // namespace gradatim::process
