#include "gradatim/process/block_means.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"

namespace gradatim::process {
namespace {

class BlockMeans final : public DataEnergy {
 public:
  BlockMeans(std::span<const std::int64_t> shape, std::int64_t blocks,
             std::vector<double> references)
      : lines_(shape[0] * shape[1]), height_(shape[1]), width_(shape[2]), blocks_(blocks) {
    for (std::int64_t line = 0; line < lines_; ++line) {
      for (std::int64_t column = 0; column < width_; ++column) {
        const std::int64_t row = line / height_ * blocks_ + line % height_ * blocks_ / height_;
        block_.push_back(static_cast<std::size_t>(row * blocks_ + column * blocks_ / width_));
      }
    }
    pixels_.assign(static_cast<std::size_t>(shape[0] * blocks_ * blocks_), 0.0);
    for (const std::size_t block : block_) pixels_[block] += 1.0;
    for (std::size_t first = 0; first < references.size(); first += block_.size()) {
      const auto means = means_of(std::span(references).subspan(first, block_.size()));
      wanted_.insert(wanted_.end(), means.begin(), means.end());
    }
  }

  // Of a pixel: (wanted - mean) / pixels of its block.
  Vec gradient(Space& space, const Vec& data, std::span<const std::int64_t> rows) const override {
    const std::size_t size = block_.size(), count = wanted_.size() / pixels_.size();
    std::vector<double> x(rows.size() * size);
    GRADATIM_CHECK(data.dims() == static_cast<std::int64_t>(size), UsageError, 1105,
                   "the state has {} numbers and the reference {}", data.dims(), size);
    space.copy_out(data, x);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const std::span<double> image = std::span(x).subspan(k * size, size);
      auto pull = means_of(image);
      const double* wanted =
          wanted_.data() + static_cast<std::size_t>(rows[k]) % count * pixels_.size();
      for (std::size_t b = 0; b < pull.size(); ++b) pull[b] = (wanted[b] - pull[b]) / pixels_[b];
      for (std::size_t at = 0; at < size; ++at) image[at] = pull[block_[at]];
    }
    return space.from(x, data.rows(), data.dims());
  }

 private:
  std::vector<double> means_of(std::span<const double> image) const {
    std::vector<double> means(pixels_.size(), 0.0);
    for (std::size_t at = 0; at < image.size(); ++at) means[block_[at]] += image[at];
    for (std::size_t b = 0; b < means.size(); ++b) means[b] /= pixels_[b];
    return means;
  }

  std::int64_t lines_, height_, width_, blocks_;
  std::vector<std::size_t> block_;       // of a pixel
  std::vector<double> pixels_, wanted_;  // of a block; [references, blocks]
};

}  // namespace

std::shared_ptr<const DataEnergy> block_means(std::span<const std::int64_t> shape,
                                              std::int64_t blocks, std::vector<double> references) {
  GRADATIM_CHECK(shape.size() == 3, UsageError, 1174,
                 "blocks are parts of images, and these samples are rows of {} numbers",
                 shape.empty() ? 0 : shape[0]);
  GRADATIM_CHECK(blocks >= 1 && blocks <= std::min(shape[1], shape[2]), UsageError, 1174,
                 "an image of {} x {} pixels has 1 to {} blocks a side; got {}", shape[1], shape[2],
                 std::min(shape[1], shape[2]), blocks);
  return std::make_shared<BlockMeans>(shape, blocks, std::move(references));
}

}  // namespace gradatim::process
