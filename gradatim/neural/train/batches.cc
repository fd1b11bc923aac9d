#include "gradatim/neural/train/batches.h"

#include <algorithm>
#include <cmath>

#include "gradatim/core/normal.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {

Batches::Batches(BatchPlan plan, const Scale& scale, BatchesRequest request)
    : plan_(std::move(plan)),
      scale_(scale),
      request_(std::move(request)),
      dims_(request_.samples->size()),
      group_rows_(request_.rows * plan_.pair_steps),
      order_(request_.samples->count, request_.shuffle, request_.seed, Stream::order),
      source_order_(request_.source ? request_.source->count : 1, request_.shuffle, request_.seed,
                    Stream::source),
      data_(to_size(group_rows_ * dims_)),
      noise_(data_.size()) {
  if (request_.captions == nullptr) return;
  for (const auto& phrasings : request_.samples->captions) {
    auto& own = tokens_.emplace_back();
    for (const auto& text : phrasings) own.push_back(request_.captions->of(text));
  }
}

Batch Batches::at(std::int64_t step) {
  draw_group(step / plan_.pair_steps);
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
    const auto& labels = tokens_.empty() ? samples.labels : samples.captioned;
    if (!labels.empty()) labels_.push_back(labels[to_size(index)]);
  }
  if (plan_.flip && samples.is_images()) mirror(group);
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
  if (plan_.coupling == nullptr) return;
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

// One of the phrasings of each row, drawn anew every time.
void Batches::add_captions(std::int64_t step, std::int64_t first, Batch& batch) const {
  const Philox drop(request_.seed, Stream::drop_label, static_cast<std::uint32_t>(step));
  const Philox draws(request_.seed, Stream::caption, static_cast<std::uint32_t>(step));
  for (std::int64_t row = 0; row < request_.rows; ++row) {
    const auto& phrasings = tokens_[to_size(labels_[to_size(first + row)])];
    const bool dropped = drop.uniform(to_size(row)) < plan_.drop_label;
    const auto k = draws.below(static_cast<std::uint32_t>(phrasings.size()), to_size(row));
    const auto& chosen = dropped ? request_.captions->anything() : phrasings[k];
    batch.tokens.insert(batch.tokens.end(), chosen.begin(), chosen.end());
  }
}

void Batches::add_labels(std::int64_t step, std::int64_t first, Batch& batch) const {
  if (labels_.empty()) return;
  if (!tokens_.empty()) return add_captions(step, first, batch);
  const Philox drop(request_.seed, Stream::drop_label, static_cast<std::uint32_t>(step));
  const auto anything = static_cast<std::int64_t>(request_.samples->classes.size());
  for (std::int64_t row = 0; row < request_.rows; ++row) {
    const bool dropped = drop.uniform(to_size(row)) < plan_.drop_label;
    batch.labels.push_back(dropped ? anything : labels_[to_size(first + row)]);
  }
}

void Batches::put_row(const process::PathPoint& p, std::size_t first, std::size_t from,
                      Batch& batch) const {
  const bool field = plan_.prediction != nullptr;
  const double size = std::hypot(p.alpha, p.sigma);
  const double scale = field ? plan_.prediction->input_scale(p) : 1.0 / size;
  const process::Target target = field ? plan_.prediction->target(p) : process::Target{};
  const auto alpha = static_cast<float>(scale * p.alpha);
  const auto sigma = static_cast<float>(scale * p.sigma);
  const auto of_data = static_cast<float>(target.data);
  const auto of_noise = static_cast<float>(target.noise);
  for (std::size_t k = 0; k < to_size(dims_); ++k) {
    const float data = data_[from + k], noise = noise_[from + k];
    batch.x[first + k] = alpha * data + sigma * noise;
    if (field) batch.target[first + k] = of_data * data + of_noise * noise;
  }
  if (field) {
    batch.weight.push_back(static_cast<float>(plan_.loss_weight->at(p, *plan_.prediction)));
  } else {
    batch.signal.push_back(static_cast<float>(p.alpha / size));
  }
}

void Batches::put_together(std::int64_t step, Batch& batch) const {
  const std::int64_t first = step % plan_.pair_steps * request_.rows;
  const std::size_t numbers = to_size(request_.rows * dims_);
  batch.rows = request_.rows;
  batch.x.resize(numbers);
  if (request_.keep_data) {
    batch.data.assign(data_.begin() + first * dims_,
                      data_.begin() + (first + request_.rows) * dims_);
  }
  if (plan_.prediction != nullptr) batch.target.resize(numbers);
  add_labels(step, first, batch);
  const Philox even(request_.seed, Stream::train_time, static_cast<std::uint32_t>(step));
  std::vector<double> level(to_size(request_.rows));
  normals(Philox(request_.seed, Stream::train_level, static_cast<std::uint32_t>(step)), 0, level);
  for (std::int64_t row = 0; row < request_.rows; ++row) {
    // One draw says whether the row is noised and, stretched to [0, 1), when.
    const double u = even.uniform(to_size(row)), z = level[to_size(row)];
    const bool noised = u < plan_.noised;
    double t = noised ? plan_.times->time(*plan_.path, u / plan_.noised, z) : 0.0;
    if (request_.time) t = request_.time(row, u, z);
    put_row(plan_.path->at(t), to_size(row * dims_), to_size((first + row) * dims_), batch);
    batch.times.push_back(t);
    batch.t.push_back(static_cast<float>(told_time(*plan_.path, t)));
  }
}

double told_time(const process::Path& path, double t) {
  return path.model_time(t > 0.0 ? t : path.first());
}

}  // namespace gradatim::neural
