// The layers of a U-Net, each with diffusers' parameter names. Images are channels-last, with a
// row's pixels one behind the other.
//
// On a processor with silu, blocks run in fused form (nn/unet_fused.h): the same sums in fewer
// passes over memory. Elsewhere they are plain torch, which is the reference of the fused form.
#pragma once

#include "gradatim/neural/network/unet.h"
#include "gradatim/neural/nn/dropout.h"
#include "gradatim/neural/nn/held.h"
#include "gradatim/neural/nn/parameters.h"

namespace gradatim::neural {

/// Plain instead of fused layers as long as this lives, in this thread. For tests.
class PlainLayers {
 public:
  PlainLayers();
  ~PlainLayers();
  PlainLayers(const PlainLayers&) = delete;
  PlainLayers& operator=(const PlainLayers&) = delete;
};
/// Whether fused layers take x.
bool takes_fused(const Tensor& x);

Tensor activated(UnetActivation kind, const Tensor& x);

struct Dense {
  Weight weight;  // [out, in], or of single pixels [out, in, 1, 1]
  Tensor bias;    // [out] or undefined

  Dense(Weight of_weight, Tensor of_bias)
      : weight(std::move(of_weight)), bias(std::move(of_bias)) {}
  Dense(const Scope& scope, std::int64_t in, std::int64_t out, Init of_weight, Init of_bias);
  Dense(const Scope& scope, std::int64_t in, std::int64_t out, bool zero = false);
  Tensor operator()(const Tensor& x) const { return weight.linear(x, bias); }
};

struct Convolution {
  Weight weight;  // [out, in, size, size]
  Tensor bias;    // [out]
  std::int64_t stride = 1, padding = 0;

  Convolution(const Scope& scope, std::int64_t in, std::int64_t out, std::int64_t size,
              bool zero = false);
  /// float32, also where it multiplies bfloat16 (nn/precision.h).
  Tensor operator()(const Tensor& x) const;
};

struct Norm {
  Tensor gain, bias;  // [channels]; undefined: no norm
  std::int64_t groups = 1;
  double epsilon = 1e-5;

  Norm() = default;
  Norm(const Scope& scope, std::int64_t channels, std::int64_t groups, double epsilon);
  Tensor operator()(const Tensor& x) const;
  /// silu of it.
  Tensor silu(const Tensor& x) const;
};

enum class Resample { none, half, twice };

/// x, perhaps with the channels of a skip connection behind it, and the time ->
/// (shortcut + conv2 silu norm2 conv1 silu norm1) / scale, norm2 with the time's scale and shift.
class ResidualBlock {
 public:
  struct Plan {
    const UnetConfig& config;
    std::int64_t time = 0;  // numbers of the time; 0: it knows no time
    std::int64_t in = 0, out = 0;
    Resample resample = Resample::none;
    double scale = 1.0;
  };
  ResidualBlock(const Scope& scope, const Plan& plan);

  /// time: activated, [rows, numbers], or undefined; skip: undefined for none; size: height and
  /// width of an image that is made larger, without it twice that of x.
  Tensor operator()(const Tensor& x, const Tensor& skip, const Tensor& time, Dropout& dropout,
                    at::IntArrayRef size = {}) const;

  Norm norm1, norm2;
  Convolution conv1, conv2;
  std::optional<Convolution> shortcut;

 private:
  Tensor plain(const Tensor& x, const Tensor& modulation, Dropout& dropout,
               at::IntArrayRef size) const;

  std::optional<Dense> time_;
  UnetActivation activation_;
  bool scale_shift_;
  double dropped_, scale_;
  Resample resample_;
};

/// (x + out(softmax(q k') v)) / scale of the normalised pixels of an image.
class AttentionBlock {
 public:
  AttentionBlock(const Scope& scope, const UnetConfig& config, std::int64_t channels,
                 std::int64_t groups, double scale);
  Tensor operator()(const Tensor& x) const;

  Norm norm;
  Dense query, key, value, out;
  std::int64_t heads = 1;

 private:
  Tensor plain(const Tensor& x) const;

  double scale_;
};

}  // namespace gradatim::neural
