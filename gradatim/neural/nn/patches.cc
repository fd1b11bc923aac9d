#include "gradatim/neural/nn/patches.h"

#include "gradatim/neural/nn/time_embedding.h"

namespace gradatim::neural {

Tensor patches_of(const Tensor& images, std::int64_t size) {
  const std::int64_t down = images.size(2) / size, across = images.size(3) / size;
  return images.reshape({images.size(0), images.size(1), down, size, across, size})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({images.size(0), down * across, images.size(1) * size * size});
}

Tensor images_of(const Tensor& patches, std::int64_t size, std::int64_t height,
                 std::int64_t width) {
  const std::int64_t rows = patches.size(0), channels = patches.size(2) / (size * size);
  return patches.reshape({rows, height / size, width / size, size, size, channels})
      .permute({0, 5, 1, 3, 2, 4})
      .reshape({rows, channels, height, width});
}

Tensor grid_embedding(std::int64_t down, std::int64_t across, std::int64_t width) {
  const auto places = [&](std::int64_t count) {
    return time_embedding(at::arange(count, at::kDouble), width / 2, {.cosines_first = false});
  };
  const std::vector<std::int64_t> all{down, across, width / 2};
  const Tensor columns = places(across).unsqueeze(0).expand(all);
  const Tensor rows = places(down).unsqueeze(1).expand(all);
  return at::cat({columns, rows}, 2).view({down * across, width}).to(at::kFloat);
}

}  // namespace gradatim::neural
