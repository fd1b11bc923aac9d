// Drawing: from a request to images, one after the other, each by its own seed.
//
// Numbers are drawn in the order of diffusers' pipelines: latents of the image to start from, then
// noise, then latents of what a mask leaves.
#pragma once

#include <chrono>

#include "gradatim/neural/stable/memory.h"
#include "gradatim/neural/stable/parts.h"
#include "gradatim/neural/stable/unet_field.h"
#include "gradatim/process/diffusers/scheduler.h"
#include "gradatim/process/host_space.h"

namespace gradatim::neural {

/// What all images of a request share.
struct Canvas {
  const StableParts& parts;
  const DrawRequest& request;
  std::int64_t height = 0, width = 0;  // of images
  std::shared_ptr<const TextStates> text, negative;
  MemoryPlan memory = {};
};

/// Checks the request and finds the size. UsageError GRD-1223, GRD-1224.
Canvas canvas_of(const StableParts& parts, const DrawRequest& request);

class Drawing {
 public:
  explicit Drawing(const Canvas& canvas);

  /// The latents [1, channels, height, width] of image `place` of the request.
  Tensor latents(std::size_t place);

 private:
  using Space = process::HostSpace<float>;
  // Of one image.
  struct Start {
    Tensor image;   // its latents, scaled; undefined where there is none
    Tensor noise;   // unit
    Tensor beside;  // mask and what it leaves, of a U-Net that takes them
  };

  Start start_of(Space& space, std::size_t place) const;
  Tensor drawn(Space& space, const Posterior& posterior, std::uint32_t which) const;
  UnetField field_of(const Start& start) const;
  Tensor by_scheduler(Space& space, const Start& start);
  Tensor by_solver(std::shared_ptr<process::NoiseSource> source, const Start& start);
  // Behind a step: what lies outside of the mask is the image's, at that noise.
  void restore(const Start& start, double alpha, double sigma, process::Vec& x) const;
  void tell(std::int64_t done, std::int64_t steps, const process::Vec& x) const;
  bool blends() const { return mask_.defined() && canvas_.parts.shape.beside == 0; }
  double strength() const;
  bool begins_from(const Start& start) const;

  Canvas canvas_;
  std::vector<std::int64_t> sample_;  // {channels, height, width} of latents
  std::optional<Posterior> image_, masked_;
  Tensor mask_;             // [1, 1, height, width] of latents
  std::int64_t place_ = 0;  // of the image at hand
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace gradatim::neural
