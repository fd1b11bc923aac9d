// Couplings of images: a part of the pixels, or of the channels, is moved by a ScalarMap whose
// parameters an ImageConditioner says from the rest.
#pragma once

#include <memory>

#include "gradatim/neural/flow/image_conditioner.h"
#include "gradatim/neural/flow/scalar_map.h"

namespace gradatim::neural {

std::unique_ptr<ScalarMap> map_of(CouplingMap map, double bound);

class ImageCoupling : public Transform {
 public:
  Moved forward(const Tensor& x, const Tensor& context) const final {
    return through(&ScalarMap::forward, x, context);
  }
  Moved inverse(const Tensor& y, const Tensor& context) const final {
    return through(&ScalarMap::inverse, y, context);
  }

 protected:
  using Way = Moved (ScalarMap::*)(const Tensor&, const Tensor&) const;
  virtual Moved through(Way way, const Tensor& x, const Tensor& context) const = 0;
};

/// Even and odd steps move the pixels of the one colour and of the other. UsageError GRD-1191 where
/// samples are no images.
class CheckerboardCoupling final : public ImageCoupling {
 public:
  CheckerboardCoupling(const FlowPlace& place, const ImageConditionerConfig& conditioner,
                       std::unique_ptr<ScalarMap> map);

 protected:
  Moved through(Way way, const Tensor& x, const Tensor& context) const override;

 private:
  std::unique_ptr<ScalarMap> map_;
  ImageConditioner conditioner_;
  Tensor moves_;  // [1, 1, height, width], 1 where a pixel moves
};

/// Even and odd steps move the last half of the channels and the first. UsageError GRD-1191 where
/// samples are no images, or have one channel.
class ChannelCoupling final : public ImageCoupling {
 public:
  ChannelCoupling(const FlowPlace& place, const ImageConditionerConfig& conditioner,
                  std::unique_ptr<ScalarMap> map);

 protected:
  Moved through(Way way, const Tensor& x, const Tensor& context) const override;

 private:
  std::int64_t channels_, first_;  // channels of the first part
  bool first_stays_;
  std::unique_ptr<ScalarMap> map_;
  ImageConditioner conditioner_;
};

/// UsageError GRD-1191 where a place has no images.
void check_images(const FlowPlace& place, const char* step);

}  // namespace gradatim::neural
