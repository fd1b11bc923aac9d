#include "gradatim/neural/nn/mlp_pass.h"

#include <algorithm>

#include "gradatim/neural/nn/kernel/activation.h"
#include "gradatim/neural/nn/kernel/multiply.h"
#include "gradatim/neural/nn/tensor.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

using kernel::multiply;

// y = x W^T
void apply(const DensePlace& layer, const float* parameters, const float* x, float* y,
           std::int64_t rows, bool onto = false) {
  multiply({rows, layer.out, layer.in}, {x, false}, {parameters + layer.weight, true}, y, onto);
}

// dW += dy^T x, and db is somebody else's; dx = dy W.
void add_weight_gradient(const DensePlace& layer, const float* x, const float* dy, float* gradients,
                         std::int64_t rows) {
  multiply({layer.out, layer.in, rows}, {dy, true}, {x, false}, gradients + layer.weight, true);
}
void take_back(const DensePlace& layer, const float* parameters, const float* dy, float* dx,
               std::int64_t rows, bool onto = false) {
  multiply({rows, layer.in, layer.out}, {dy, false}, {parameters + layer.weight, false}, dx, onto);
}

}  // namespace

// A part is at least so many rows, a whole number of vectors.
std::vector<MlpPass::Rows> MlpPass::parts() const {
  constexpr std::int64_t kLeast = 32, kUnit = 16;
  const auto threads = std::int64_t{at::get_num_threads()};
  const std::int64_t count = std::clamp<std::int64_t>(rows_ / kLeast, 1, threads);
  const std::int64_t size = ((rows_ + count - 1) / count + kUnit - 1) / kUnit * kUnit;
  std::vector<Rows> made;
  for (std::int64_t begin = 0; begin < rows_; begin += size) {
    made.push_back({begin, std::min(rows_, begin + size)});
  }
  return made;
}

void MlpPass::make_room(std::int64_t rows) {
  if (rows <= rows_) {
    rows_ = rows;
    return;
  }
  rows_ = rows;
  width_.clear();
  const auto& layers = shape_.layers;
  widest_ = 0;
  for (std::size_t k = 0; k + 1 < layers.size(); ++k) {
    widest_ = std::max(widest_, layers[k].out);
    width_.push_back(layers[k].out);
    // A plain layer keeps z and a; a block h, z, a.
    if (!shape_.residual || k % 2 == 1) width_.push_back(layers[k].out);
  }
  kept_.resize(width_.size());
  for (std::size_t k = 0; k < kept_.size(); ++k) kept_[k].resize(to_size(rows * width_[k]));
  here_.resize(to_size(rows * widest_));
  there_.resize(here_.size());
}

void MlpPass::forward(const float* parameters, const float* x, const float* shift,
                      std::int64_t rows, float* out) {
  make_room(rows);
  const auto all = parts();
  at::parallel_for(0, std::ssize(all), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) forward(parameters, x, shift, all[to_size(k)], out);
  });
}

void MlpPass::forward(const float* parameters, const float* x, const float* shift, Rows part,
                      float* out) {
  const auto& layers = shape_.layers;
  const std::int64_t rows = part.end - part.begin;
  const DensePlace& first = layers.front();
  float* h = kept(0, part.begin);
  apply(first, parameters, x + part.begin * first.in, h, rows);
  if (shift != nullptr) {
    const float* more = shift + part.begin * first.out;
    for (std::int64_t k = 0; k < rows * first.out; ++k) h[k] += more[k];
  }
  if (shape_.residual) kernel::add_bias(parameters + first.bias, h, rows, first.out);
  std::size_t place = 0;
  for (std::size_t k = 1; k < layers.size(); ++k) {
    const DensePlace& layer = layers[k];
    const bool last = k + 1 == layers.size();
    if (shape_.residual && !last) {  // h, z, a -> h
      const DensePlace& down = layers[++k];
      float* z = kept(place + 1, part.begin);
      float* a = kept(place + 2, part.begin);
      apply(layer, parameters, h, z, rows);
      kernel::add_bias_activate(shape_.activation, parameters + layer.bias, z, a, rows, layer.out);
      float* next = kept(place + 3, part.begin);
      std::copy_n(h, rows * down.out, next);
      apply(down, parameters, a, next, rows, true);
      kernel::add_bias(parameters + down.bias, next, rows, down.out);
      h = next;
      place += 3;
      continue;
    }
    if (!shape_.residual) {  // z -> a
      const DensePlace& before = layers[k - 1];
      float* a = kept(place + 1, part.begin);
      kernel::add_bias_activate(shape_.activation, parameters + before.bias, h, a, rows,
                                before.out);
      h = a;
      place += 2;
    }
    float* y = last ? out + part.begin * layer.out : kept(place, part.begin);
    apply(layer, parameters, h, y, rows);
    if (last) kernel::add_bias(parameters + layer.bias, y, rows, layer.out);
    h = y;
  }
}

void MlpPass::backward(const float* parameters, const float* x, const float* output_gradient,
                       std::span<float> gradients, float* shift_gradient) {
  const auto all = parts();
  partial_.assign((all.size() - 1) * gradients.size(), 0.0F);
  at::parallel_for(0, std::ssize(all), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      float* own = k == 0 ? gradients.data() : partial_.data() + to_size(k - 1) * gradients.size();
      backward(parameters, x, output_gradient, all[to_size(k)], own, shift_gradient);
    }
  });
  for (std::size_t k = 0; k + 1 < all.size(); ++k) {
    const float* more = partial_.data() + k * gradients.size();
    for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i] += more[i];
  }
}

void MlpPass::backward(const float* parameters, const float* x, const float* output_gradient,
                       Rows part, float* gradients, float* shift_gradient) {
  const auto& layers = shape_.layers;
  const std::int64_t rows = part.end - part.begin;
  std::size_t place = kept_.size() - 1;
  const DensePlace& last = layers.back();
  const float* dy = output_gradient + part.begin * last.out;
  float* g = here_.data() + part.begin * widest_;
  float* inner = there_.data() + part.begin * widest_;
  add_weight_gradient(last, kept(place, part.begin), dy, gradients, rows);
  kernel::add_rows(dy, gradients + last.bias, rows, last.out);
  take_back(last, parameters, dy, g, rows);
  if (shape_.residual) {
    for (std::size_t k = layers.size() - 2; k >= 2; k -= 2, place -= 3) {
      const DensePlace& up = layers[k - 1];
      const DensePlace& down = layers[k];
      kernel::add_rows(g, gradients + down.bias, rows, down.out);
      add_weight_gradient(down, kept(place - 1, part.begin), g, gradients, rows);
      take_back(down, parameters, g, inner, rows);
      kernel::activation_backward(shape_.activation, kept(place - 2, part.begin), inner,
                                  gradients + up.bias, rows, up.out);
      add_weight_gradient(up, kept(place - 3, part.begin), inner, gradients, rows);
      take_back(up, parameters, inner, g, rows, true);
    }
    kernel::add_rows(g, gradients + layers.front().bias, rows, layers.front().out);
  } else {
    for (std::size_t k = layers.size() - 2;; --k, place -= 2) {
      kernel::activation_backward(shape_.activation, kept(place - 1, part.begin), g,
                                  gradients + layers[k].bias, rows, layers[k].out);
      if (k == 0) break;
      add_weight_gradient(layers[k], kept(place - 2, part.begin), g, gradients, rows);
      take_back(layers[k], parameters, g, inner, rows);
      std::swap(g, inner);
    }
  }
  const DensePlace& first = layers.front();
  add_weight_gradient(first, x + part.begin * first.in, g, gradients, rows);
  if (shift_gradient != nullptr) {
    std::copy_n(g, rows * first.out, shift_gradient + part.begin * first.out);
  }
}

}  // namespace gradatim::neural
