// Batches of a diffusion's training: samples, their noise and times, worked out on a thread of
// their own. Step s is a pure function of (seed, s).
#pragma once

#include <cstdint>
#include <functional>
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
  std::vector<double> times;         // [rows] of the path
  std::vector<float> data;           // [rows, dims]: clean, where it is kept
};

struct BatchesRequest {
  std::shared_ptr<const data::Samples> samples;
  std::shared_ptr<const data::Samples> source;  // null: normal noise
  std::int64_t rows = 0;
  std::uint64_t seed = 0;
  /// The time of a row by its draws, instead of the plan's density.
  std::function<double(std::int64_t row, double u, double z)> time = {};
  bool keep_data = false;
};

class Batches {
 public:
  /// The plan is kept by the caller.
  Batches(const DiffusionPlan& plan, const Scale& scale, BatchesRequest request);

  Batch at(std::int64_t step);

 private:
  void draw_group(std::int64_t group);
  void draw_data(std::int64_t group);
  void draw_noise(std::int64_t group);
  void mirror(std::int64_t group);
  void pair(std::int64_t group);
  void put_together(std::int64_t step, Batch& batch) const;
  void add_labels(std::int64_t step, std::int64_t first, Batch& batch) const;

  const DiffusionPlan& plan_;
  Scale scale_;
  BatchesRequest request_;
  std::int64_t dims_, group_rows_;
  Order order_, source_order_;
  // Of a group of steps whose noise and data are paired together.
  std::int64_t group_ = -1;
  std::vector<float> data_, noise_;   // [group_rows, dims]
  std::vector<std::int64_t> labels_;  // [group_rows], or empty
};

}  // namespace gradatim::neural
