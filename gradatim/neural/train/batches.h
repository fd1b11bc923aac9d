// Batches of a diffusion's training: samples, their noise and times, worked out on a thread of
// their own. Step s is a pure function of (seed, s).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "gradatim/neural/model/diffusion.h"
#include "gradatim/neural/train/order.h"
#include "gradatim/neural/train/scale.h"

namespace gradatim::neural {

/// What a step learns from, row-major.
struct Batch {
  std::int64_t rows = 0;
  std::vector<float> x;              // [rows, dims]: what the network sees
  std::vector<float> target;         // [rows, dims]: what it is to say
  std::vector<float> t, weight;      // [rows]
  std::vector<std::int64_t> labels;  // [rows], or empty; `classes` is "anything"
};

struct BatchesRequest {
  std::shared_ptr<const data::Samples> samples;
  std::shared_ptr<const data::Samples> source;  // null: normal noise
  std::int64_t rows = 0;
  std::uint64_t seed = 0;
};

class Batches {
 public:
  /// The plan is kept by the caller.
  Batches(const DiffusionPlan& plan, const Scale& scale, BatchesRequest request);

  Batch at(std::int64_t step);

 private:
  void draw_data(std::int64_t step);
  void draw_noise(std::int64_t step);
  void mirror(std::int64_t step);
  void put_together(std::int64_t step, Batch& batch) const;

  const DiffusionPlan& plan_;
  Scale scale_;
  BatchesRequest request_;
  std::int64_t dims_;
  Order order_, source_order_;
  std::vector<float> data_, noise_;  // [rows, dims]
  std::vector<std::int64_t> labels_;
};

}  // namespace gradatim::neural
