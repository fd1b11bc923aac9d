// Images and masks as a checkpoint's networks take them.
#pragma once

#include "gradatim/neural/latent/kl_net.h"
#include "gradatim/neural/stable/parts.h"
#include "gradatim/neural/stable_diffusion.h"

namespace gradatim::neural {

Array array_of(const Tensor& x);
/// A view of the array's numbers.
Tensor tensor_of(const Array& x);

/// [1, 3, height, width] from -1 to 1, in that size, of an image [3, height, width] in [0, 1].
/// UsageError GRD-1224 for another shape, or numbers that are not in [0, 1].
Tensor pixels_of(const Array& image, std::int64_t height, std::int64_t width);
/// [1, 1, height, width]: 1 where an image is drawn anew, 0 elsewhere. Errors of pixels_of().
Tensor mask_of(const Array& mask, std::int64_t height, std::int64_t width);

/// The posterior of latents of pixels, before they are scaled.
Posterior encoded(const StableParts& parts, const Tensor& pixels);
/// Images [rows, 3, height, width] in [0, 1] of scaled latents; by stripes of about so many pixels
/// where `tile` is more than 0.
Tensor decoded(const StableParts& parts, const Tensor& latents, std::int64_t tile);

}  // namespace gradatim::neural
