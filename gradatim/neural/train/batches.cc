#include "gradatim/neural/train/batches.h"

#include <algorithm>

#include "gradatim/core/normal.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {

Batches::Batches(const DiffusionPlan& plan, const Scale& scale, BatchesRequest request)
    : plan_(plan),
      scale_(scale),
      request_(std::move(request)),
      dims_(request_.samples->size()),
      group_rows_(request_.rows * plan.config.pair_steps),
      order_(request_.samples->count, request_.seed, Stream::order),
      source_order_(request_.source ? request_.source->count : 1, request_.seed, Stream::source),
      data_(to_size(group_rows_ * dims_)),
      noise_(data_.size()) {}

Batch Batches::at(std::int64_t step) {
  draw_group(step / plan_.config.pair_steps);
  Batch batch;
  put_together(step, batch);
  return batch;
}

void Batches::draw_group(std::int64_t group) {
  if (group == group_) return;
  draw_data(group);
  draw_noise(group);
  pair(group);
  group_ = group;
}

void Batches::draw_data(std::int64_t group) {
  const data::Samples& samples = *request_.samples;
  labels_.clear();
  for (std::int64_t row = 0; row < group_rows_; ++row) {
    const std::int64_t index = order_.at(group * group_rows_ + row);
    scale_.row(samples, index, std::span(data_).subspan(to_size(row * dims_), to_size(dims_)));
    if (!samples.labels.empty()) labels_.push_back(samples.labels[to_size(index)]);
  }
  if (plan_.config.flip && samples.is_images()) mirror(group);
}

void Batches::mirror(std::int64_t group) {
  const Philox draws(request_.seed, Stream::flip, static_cast<std::uint32_t>(group));
  const std::int64_t width = request_.samples->shape.back();
  for (std::int64_t row = 0; row < group_rows_; ++row) {
    if (draws.uniform(to_size(row)) < 0.5) continue;
    for (auto line = data_.begin() + row * dims_; line != data_.begin() + (row + 1) * dims_;
         line += width) {
      std::reverse(line, line + width);
    }
  }
}

void Batches::draw_noise(std::int64_t group) {
  if (request_.source) {
    for (std::int64_t row = 0; row < group_rows_; ++row) {
      scale_.row(*request_.source, source_order_.at(group * group_rows_ + row),
                 std::span(noise_).subspan(to_size(row * dims_), to_size(dims_)));
    }
    return;
  }
  constexpr std::size_t kPart = 1024;
  double part[kPart];
  const Philox draws(request_.seed, Stream::train_noise, static_cast<std::uint32_t>(group));
  for (std::size_t first = 0; first < noise_.size(); first += kPart) {
    const std::size_t size = std::min(kPart, noise_.size() - first);
    normals(draws, first, std::span(part, size));
    std::transform(part, part + size, noise_.begin() + static_cast<std::ptrdiff_t>(first),
                   [](double z) { return static_cast<float>(z); });
  }
}

// Data and labels move to the noise that they are paired with.
void Batches::pair(std::int64_t group) {
  std::vector<std::int32_t> partner(to_size(group_rows_));
  plan_.coupling->pair({.noise = noise_,
                        .data = data_,
                        .rows = group_rows_,
                        .dims = dims_,
                        .labels = labels_,
                        .seed = request_.seed,
                        .step = group},
                       partner);
  const auto data = data_;
  const auto labels = labels_;
  for (std::size_t row = 0; row < partner.size(); ++row) {
    const auto from = data.begin() + std::int64_t{partner[row]} * dims_;
    std::copy(from, from + dims_, data_.begin() + static_cast<std::int64_t>(row) * dims_);
    if (!labels.empty()) labels_[row] = labels[static_cast<std::size_t>(partner[row])];
  }
}

void Batches::add_labels(std::int64_t step, std::int64_t first, Batch& batch) const {
  if (labels_.empty()) return;
  const Philox drop(request_.seed, Stream::drop_label, static_cast<std::uint32_t>(step));
  const auto anything = static_cast<std::int64_t>(request_.samples->classes.size());
  for (std::int64_t row = 0; row < request_.rows; ++row) {
    const bool dropped = drop.uniform(to_size(row)) < plan_.config.drop_label;
    batch.labels.push_back(dropped ? anything : labels_[to_size(first + row)]);
  }
}

void Batches::put_together(std::int64_t step, Batch& batch) const {
  const std::int64_t first = step % plan_.config.pair_steps * request_.rows;
  const std::size_t numbers = to_size(request_.rows * dims_);
  const float* data = data_.data() + first * dims_;
  const float* noise = noise_.data() + first * dims_;
  batch.rows = request_.rows;
  batch.x.resize(numbers);
  batch.target.resize(numbers);
  if (request_.keep_data) batch.data.assign(data, data + numbers);
  add_labels(step, first, batch);
  const Philox even(request_.seed, Stream::train_time, static_cast<std::uint32_t>(step));
  std::vector<double> level(to_size(request_.rows));
  normals(Philox(request_.seed, Stream::train_level, static_cast<std::uint32_t>(step)), 0, level);
  for (std::int64_t row = 0; row < request_.rows; ++row) {
    const double u = even.uniform(to_size(row)), z = level[to_size(row)];
    const double t =
        request_.time ? request_.time(row, u, z) : plan_.times->time(*plan_.path, u, z);
    const process::PathPoint p = plan_.path->at(t);
    const process::Target target = plan_.prediction->target(p);
    const double scale = plan_.prediction->input_scale(p);
    const auto alpha = static_cast<float>(scale * p.alpha);
    const auto sigma = static_cast<float>(scale * p.sigma);
    const auto of_data = static_cast<float>(target.data);
    const auto of_noise = static_cast<float>(target.noise);
    for (std::size_t k = to_size(row * dims_); k < to_size((row + 1) * dims_); ++k) {
      batch.x[k] = alpha * data[k] + sigma * noise[k];
      batch.target[k] = of_data * data[k] + of_noise * noise[k];
    }
    batch.times.push_back(t);
    batch.t.push_back(static_cast<float>(plan_.path->model_time(t)));
    batch.weight.push_back(static_cast<float>(plan_.loss_weight->at(p, *plan_.prediction)));
  }
}

}  // namespace gradatim::neural
