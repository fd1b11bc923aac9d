#include "gradatim/neural/flow/squeeze.h"

#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/flow/image_coupling.h"

namespace gradatim::neural {

Squeeze::Squeeze(const FlowPlace& place) {
  check_images(place, "squeeze");
  GRADATIM_CHECK(place.sample[1] % 2 == 0 && place.sample[2] % 2 == 0, UsageError, 1191,
                 "squeeze halves height and width, which must be even; an image is {} x {} here",
                 place.sample[1], place.sample[2]);
}

Moved Squeeze::forward(const Tensor& x, const Tensor&) const {
  return {at::pixel_unshuffle(x, 2).contiguous(), {}};
}

Moved Squeeze::inverse(const Tensor& y, const Tensor&) const {
  return {at::pixel_shuffle(y, 2).contiguous(), {}};
}

}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeTransform gradatim_make_squeeze;

gradatim::neural::Transform* gradatim_make_squeeze(const void*,
                                                   const gradatim::neural::FlowPlace& place) {
  return new gradatim::neural::Squeeze(place);
}
}
