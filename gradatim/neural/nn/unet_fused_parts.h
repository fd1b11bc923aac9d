// What the fused blocks of a U-Net share: images as rows of numbers, norms with what lies around
// them, and the numbers that they multiply.
#pragma once

#include <optional>

#include "gradatim/neural/nn/kernel/group_norm.h"
#include "gradatim/neural/nn/precision.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural::fused {

/// Of autograd's functions, undefined tensors must be none.
using MaybeTensor = std::optional<Tensor>;
inline MaybeTensor maybe(const Tensor& x) { return x.defined() ? MaybeTensor(x) : std::nullopt; }
inline Tensor tensor(const MaybeTensor& x) { return x.value_or(Tensor()); }

inline Tensor channels_last(const Tensor& x) {
  return x.defined() ? x.contiguous(at::MemoryFormat::ChannelsLast) : x;
}
/// [rows * pixels, channels] of a channels-last image, and back.
inline Tensor pixels(const Tensor& x) { return x.permute({0, 2, 3, 1}).view({-1, x.size(1)}); }
Tensor image(const Tensor& rows, const Tensor& like);
/// Channels-last, of other channels.
Tensor empty_image(const Tensor& like, std::int64_t channels);

inline const float* numbers(const Tensor& x) {
  return x.defined() ? x.const_data_ptr<float>() : nullptr;
}
inline float* room(const Tensor& x) { return x.defined() ? x.data_ptr<float>() : nullptr; }

/// What a norm takes besides its parameters: what is added in front, and the scale and shift
/// behind.
struct Around {
  Tensor offset, modulation;  // [rows, channels], [rows, 2 channels]
};

inline Around around(const Tensor& modulation, bool scale_shift) {
  if (!modulation.defined()) return {};
  const Tensor numbers_of = modulation.contiguous();
  return scale_shift ? Around{.modulation = numbers_of} : Around{.offset = numbers_of};
}

/// Statistics are written by the pass forward and read by the one back.
kernel::GroupNorm problem(const Tensor& x, const Tensor& skip, const Tensor& gain,
                          const Tensor& bias, std::int64_t groups, double epsilon, bool silu,
                          const Around& around, const Tensor& statistics);
Tensor statistics_for(const Tensor& x, std::int64_t groups);

struct NormGradients {
  Tensor x, skip, gain, bias, offset, modulation;
};
/// add_x and add_skip come on top of the gradients by x and skip, or are undefined.
NormGradients backward_of(const kernel::GroupNorm& norm, const Tensor& x, const Tensor& skip,
                          const Tensor& dy, const Tensor& add_x, const Tensor& add_skip);

/// What a block multiplies: bfloat16, where it is on (nn/precision.h), or float32. All else of a
/// block is float32. Casts are written out here, once a tensor, and not left to torch.
class Numbers {
 public:
  explicit Numbers(bool low) : low_(low) {}

  Tensor operator()(const Tensor& x) const { return low_ && x.defined() ? x.to(at::kBFloat16) : x; }
  Tensor convolved(const Tensor& x, const Tensor& weight, const Tensor& bias) const {
    return channels_last(
        at::conv2d((*this)(x), (*this)(weight), (*this)(bias), 1, 1).to(at::kFloat));
  }
  Tensor product(const Tensor& a, const Tensor& b) const {
    return low_ ? at::mm((*this)(a), (*this)(b)).to(at::kFloat) : at::mm(a, b);
  }
  Tensor sum(const Tensor& bias, const Tensor& a, const Tensor& b) const {
    return low_ ? at::addmm((*this)(bias), (*this)(a), (*this)(b)).to(at::kFloat)
                : at::addmm(bias, a, b);
  }
  void add_product(const Tensor& sum, const Tensor& a, const Tensor& b) const {
    low_ ? sum.add_(at::mm((*this)(a), (*this)(b))) : sum.addmm_(a, b);
  }

 private:
  bool low_;
};

/// Of a forward pass: torch's own casts are off as long as it lives.
class OwnCasts {
 public:
  const bool low = Bfloat16::is_on();
  const Numbers numbers{low};

 private:
  c10::impl::ExcludeDispatchKeyGuard off_{c10::DispatchKey::AutocastCPU};
};

}  // namespace gradatim::neural::fused
