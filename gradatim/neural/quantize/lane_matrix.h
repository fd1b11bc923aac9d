// Linear layers of priors that sample one place after the other, for rows in lanes
// (nn/kernel/lanes.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

/// y [out, lanes] = W x + b of x [in, lanes], with W laid out as it is read.
class LaneMatrix {
 public:
  /// W: [out, in]; b: [out] or undefined.
  explicit LaneMatrix(const Tensor& matrix, const Tensor& bias = {});

  std::int64_t out() const { return out_; }
  std::int64_t in() const { return in_; }
  void operator()(const float* x, float* y, std::int64_t lanes) const { run(x, y, lanes, false); }
  /// Onto what is in y.
  void add(const float* x, float* y, std::int64_t lanes) const { run(x, y, lanes, true); }

 private:
  void run(const float* x, float* y, std::int64_t lanes, bool there) const;

  std::int64_t out_, in_;
  std::vector<float> panels_;  // [out / 12][in][12], the last one narrower
  std::vector<float> bias_;
};

/// Numbers [features, lanes] that nobody has written to yet.
class LaneRoom {
 public:
  explicit LaneRoom(std::int64_t numbers)
      : numbers_(std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(numbers))) {}
  operator float*() { return numbers_.get(); }

 private:
  std::unique_ptr<float[]> numbers_;
};

/// Rows that go through all places together: `lanes` is the block's width, `rows` how many of it
/// there are.
struct LaneBlock {
  std::int64_t first = 0, rows = 0, lanes = 0;
};
/// f of each block, by as many threads as the caller gave torch; a lane keeps so many numbers.
void in_lane_blocks(std::int64_t rows, std::int64_t numbers,
                    const std::function<void(const LaneBlock&)>& f);

/// x [width, lanes] = rows numbers[k] of a table [count, width], k of every lane; 0 behind the
/// last.
void look_up(const float* table, std::int64_t width, const std::int64_t* numbers,
             const LaneBlock& block, float* x);

/// float32 in this machine's memory, one behind the other.
Tensor in_memory(const Tensor& parameter);

}  // namespace gradatim::neural
