// MultiScale: levels, one behind the other, where half of the channels leaves for the base density
// behind each but the last. What has left, first level first, and what the last one puts out are
// the numbers of one row, [dims].
#pragma once

#include <memory>
#include <vector>

#include "gradatim/neural/flow/transform.h"

namespace gradatim::neural {

class MultiScale final : public Transform {
 public:
  /// For samples of that shape, with so many levels. UsageError GRD-1191 where height and width
  /// cannot be halved `halvings` times.
  MultiScale(const FlowPlace& place, int levels, int halvings);

  /// What the next level begins with.
  const std::vector<std::int64_t>& sample() const { return sample_; }
  void add(std::unique_ptr<Transform> level);

  Moved forward(const Tensor& x, const Tensor& context) const override;
  Moved inverse(const Tensor& y, const Tensor& context) const override;
  void start(const Tensor& x, const Tensor& context) override;
  std::vector<std::int64_t> out_shape(const std::vector<std::int64_t>& sample) const override;

 private:
  struct Level {
    std::unique_ptr<Transform> steps;
    std::vector<std::int64_t> out;  // of a sample behind them
  };
  bool last(std::size_t level) const { return level + 1 == count_; }
  // What stays of a level's output.
  static Tensor staying(const Tensor& x) { return x.narrow(1, x.size(1) / 2, x.size(1) / 2); }

  std::size_t count_;  // of levels, all in all
  std::vector<std::int64_t> sample_;
  std::vector<Level> levels_;
};

}  // namespace gradatim::neural
