#include "gradatim/neural/flow/multi_scale.h"

#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

int halvings_of(const std::vector<std::int64_t>& image) {
  int count = 0;
  for (auto height = image[1], width = image[2]; height % 2 == 0 && width % 2 == 0; ++count) {
    height /= 2;
    width /= 2;
  }
  return count;
}

std::vector<std::int64_t> with_rows(std::int64_t rows, const std::vector<std::int64_t>& sample) {
  std::vector<std::int64_t> sizes{rows};
  sizes.insert(sizes.end(), sample.begin(), sample.end());
  return sizes;
}

}  // namespace

MultiScale::MultiScale(const FlowPlace& place, int levels, int halvings)
    : count_(to_size(levels)), sample_(place.sample) {
  const int most = halvings_of(sample_);
  const int fitting = levels - halvings + most;
  GRADATIM_CHECK(halvings <= most, UsageError, 1191,
                 "{} levels halve an image {} times; one of {} x {} can be halved {} times: {}",
                 levels, halvings, sample_[1], sample_[2], most,
                 fitting > 0 ? fmt::format("take --levels {}", fitting)
                             : "give images of even height and width");
}

void MultiScale::add(std::unique_ptr<Transform> level) {
  sample_ = level->out_shape(sample_);
  levels_.push_back({std::move(level), sample_});
  if (!last(levels_.size() - 1)) sample_[0] /= 2;
}

Moved MultiScale::forward(const Tensor& x, const Tensor& context) const {
  std::vector<Tensor> left;
  Moved at{x, {}};
  for (std::size_t k = 0; k < levels_.size(); ++k) {
    Moved next = levels_[k].steps->forward(at.x, context);
    at.log_det = add_log_det(at.log_det, next.log_det);
    if (last(k)) {
      left.push_back(next.x.flatten(1));
    } else {
      left.push_back(next.x.narrow(1, 0, next.x.size(1) / 2).flatten(1));
      at.x = staying(next.x).contiguous();
    }
  }
  return {at::cat(left, 1), std::move(at.log_det)};
}

Moved MultiScale::inverse(const Tensor& y, const Tensor& context) const {
  std::int64_t end = y.size(1);  // of what is still to come back
  Moved at;
  for (std::size_t k = levels_.size(); k-- > 0;) {
    std::vector<std::int64_t> leaving = levels_[k].out;
    if (!last(k)) leaving[0] /= 2;
    const std::int64_t count = c10::multiply_integers(leaving);
    end -= count;
    const Tensor part = y.narrow(1, end, count).reshape(with_rows(y.size(0), leaving));
    Moved next =
        levels_[k].steps->inverse(last(k) ? part.contiguous() : at::cat({part, at.x}, 1), context);
    at = {std::move(next.x), add_log_det(at.log_det, next.log_det)};
  }
  return at;
}

void MultiScale::start(const Tensor& x, const Tensor& context) {
  Tensor at = x;
  for (const Level& level : levels_) {
    level.steps->start(at, context);
    const Tensor next = level.steps->forward(at, context).x;
    if (&level != &levels_.back()) at = staying(next).contiguous();
  }
}

std::vector<std::int64_t> MultiScale::out_shape(const std::vector<std::int64_t>& sample) const {
  return {c10::multiply_integers(sample)};
}

}  // namespace gradatim::neural
