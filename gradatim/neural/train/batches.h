// Batches: what a step of training learns from: samples, their noise and times, and what a field is
// to say. Step s is a pure function of (seed, s).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "gradatim/neural/train/caption_tokens.h"
#include "gradatim/neural/train/order.h"
#include "gradatim/neural/train/scale.h"
#include "gradatim/process/coupling.h"
#include "gradatim/process/loss_weight.h"
#include "gradatim/process/path.h"
#include "gradatim/process/prediction.h"
#include "gradatim/process/time_density.h"

namespace gradatim::neural {

/// How batches are made.
struct BatchPlan {
  std::shared_ptr<const process::Path> path;
  std::shared_ptr<const process::TimeDensity> times;
  // Of a field; null where there is nothing to say but the label. Then the network sees states
  // divided by sqrt(alpha^2 + sigma^2), the same on every path.
  std::shared_ptr<const process::Prediction> prediction = nullptr;
  std::shared_ptr<const process::LossWeight> loss_weight = nullptr;
  std::shared_ptr<const process::Coupling> coupling = nullptr;
  double drop_label = 0.0;  // share of rows whose label or caption becomes "anything"
  double noised = 1.0;      // share of rows at a time that is drawn; the others are clean, at 0
  bool flip = false;
  std::int64_t pair_steps = 1;
};

/// What a network is told of a time, which is held off 0, where that may be infinite.
double told_time(const process::Path& path, double t);

/// What a step learns from, row-major.
struct Batch {
  std::int64_t rows = 0;
  std::vector<float> x;              // [rows, dims]: what the network sees
  std::vector<float> target;         // [rows, dims]: what it is to say, or empty
  std::vector<float> t, weight;      // [rows]; weights belong to targets
  std::vector<float> signal;         // [rows]: alpha / sqrt(alpha^2 + sigma^2), where no target is
  std::vector<std::int64_t> labels;  // [rows], or empty; `classes` is "anything"
  std::vector<double> times;         // [rows] of the path
  std::vector<float> data;           // [rows, dims]: clean, where it is kept
  std::vector<std::int64_t> codes;   // [rows, length], where codes are learned
  std::vector<std::int64_t> tokens;  // [rows, tokens] of captions, where they are learned
};

struct BatchesRequest {
  std::shared_ptr<const data::Samples> samples;
  std::shared_ptr<const data::Samples> source;  // null: normal noise
  std::int64_t rows = 0;
  bool shuffle = true;  // the samples; those of a source, too
  std::uint64_t seed = 0;
  /// The time of a row by its draws, instead of the plan's density.
  std::function<double(std::int64_t row, double u, double z)> time = {};
  bool keep_data = false;
  std::shared_ptr<const CaptionTokens> captions = nullptr;  // that stand for labels
};

class Batches {
 public:
  Batches(BatchPlan plan, const Scale& scale, BatchesRequest request);

  Batch at(std::int64_t step);

 private:
  void draw_group(std::int64_t group);
  void draw_data(std::int64_t group);
  void draw_noise(std::int64_t group);
  void mirror(std::int64_t group);
  void pair(std::int64_t group);
  void put_together(std::int64_t step, Batch& batch) const;
  void put_row(const process::PathPoint& p, std::size_t first, std::size_t from,
               Batch& batch) const;
  void add_labels(std::int64_t step, std::int64_t first, Batch& batch) const;
  void add_captions(std::int64_t step, std::int64_t first, Batch& batch) const;

  BatchPlan plan_;
  Scale scale_;
  BatchesRequest request_;
  std::int64_t dims_, group_rows_;
  Order order_, source_order_;
  // Of a group of steps whose noise and data are paired together.
  std::int64_t group_ = -1;
  std::vector<float> data_, noise_;   // [group_rows, dims]
  std::vector<std::int64_t> labels_;  // [group_rows], or empty; of captions, who is captioned so
  // Tokens of each phrasing of the samples' captions.
  std::vector<std::vector<std::vector<std::int64_t>>> tokens_;
};

}  // namespace gradatim::neural
