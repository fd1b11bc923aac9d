#include "gradatim/neural/stable/images.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

// Of an array whose numbers are to be in [0, 1].
Tensor checked_array(const Array& given, std::int64_t dims, const char* what) {
  const auto numbers = c10::multiply_integers(given.shape);
  GRADATIM_CHECK(
      std::ssize(given.shape) == dims && numbers == std::ssize(given.numbers) && numbers > 0,
      UsageError, 1224, "{} of shape [{}]; it must be {}", what, fmt::join(given.shape, ", "),
      dims == 3 ? "[3, height, width]" : "[height, width]");
  const Tensor x = tensor_of(given);
  const auto [least, most] = at::aminmax(x);
  // Also where one of them is no number.
  GRADATIM_CHECK(least.item<float>() >= 0.0F && most.item<float>() <= 1.0F, UsageError, 1224,
                 "{} has numbers from {} to {}; they must be in [0, 1]", what, least.item<float>(),
                 most.item<float>());
  return x;
}

// Without aliases where it is made smaller.
Tensor resized(const Tensor& x, std::int64_t height, std::int64_t width) {
  if (x.size(2) == height && x.size(3) == width) return x;
  return at::_upsample_bicubic2d_aa(x, {height, width}, false).clamp_(0.0, 1.0);
}

}  // namespace

Array array_of(const Tensor& x) {
  const Tensor host = x.to(at::kCPU).to(at::kFloat).contiguous();
  const float* numbers = host.const_data_ptr<float>();
  return {host.sizes().vec(), {numbers, numbers + host.numel()}};
}

Tensor tensor_of(const Array& x) {
  return at::from_blob(const_cast<float*>(x.numbers.data()), x.shape, at::kFloat);
}

Tensor pixels_of(const Array& image, std::int64_t height, std::int64_t width) {
  const Tensor x = checked_array(image, 3, "an image");
  GRADATIM_CHECK(x.size(0) == 3, UsageError, 1224,
                 "an image has {} channels; it must have 3, red, green and blue", x.size(0));
  return resized(x.unsqueeze(0), height, width) * 2.0 - 1.0;
}

Tensor mask_of(const Array& mask, std::int64_t height, std::int64_t width) {
  const Tensor x = checked_array(mask, 2, "a mask");
  return resized(x.unsqueeze(0).unsqueeze(0), height, width).ge(0.5).to(at::kFloat);
}

Posterior encoded(const StableParts& parts, const Tensor& pixels) {
  return parts.autoencoder->encode(pixels);
}

Tensor decoded(const StableParts& parts, const Tensor& latents, std::int64_t tile) {
  const Tensor z = latents / parts.factor;
  const Tensor states =
      tile > 0 ? parts.autoencoder->decode_in_stripes(z, tile) : parts.autoencoder->decode(z);
  return (states * 0.5 + 0.5).clamp_(0.0, 1.0);
}

}  // namespace gradatim::neural
