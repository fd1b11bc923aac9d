#include "gradatim/neural/nn/mlp_pass.h"

#include <algorithm>
#include <utility>

#include "gradatim/neural/nn/kernel/activation.h"
#include "gradatim/neural/nn/kernel/product.h"
#include "gradatim/neural/nn/mlp_blocks.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

using kernel::kBlock;

// One block of rows on its way through the layers, and back.
class Block {
 public:
  Block(const MlpShape& shape, const float* parameters, const MlpInput& input, std::int64_t block)
      : shape_(shape),
        layers_(shape.layers),
        parameters_(parameters),
        first_(block * kBlock),
        rows_(std::min(kBlock, input.rows - first_)),
        input_(input) {}

  /// `kept`: the numbers that backward() needs, layer after layer, or null.
  void forward(float* kept, float* out) const {
    const std::int64_t widest = shape_.widest();
    Room x(layers_.front().in), here(kept ? 0 : widest), there(kept ? 0 : widest);
    // Where the next layer's output goes: behind what is kept, or where its input is not.
    const auto place = [&](std::int64_t height, const float* from) -> float* {
      if (kept != nullptr) return std::exchange(kept, kept + height * kBlock);
      return from == here ? there : here;
    };
    const std::int64_t own = layers_.front().in - std::ssize(input_.shared);
    lay(input_.x + first_ * own, rows_, own, x);
    for (std::int64_t k = own; k < layers_.front().in; ++k) {
      std::fill_n(x + k * kBlock, kBlock, input_.shared[to_size(k - own)]);
    }
    float* h = place(layers_.front().out, nullptr);
    if (input_.shift != nullptr) {
      const std::int64_t width = layers_.front().out;
      lay(input_.shift + first_ * width, rows_, width, h);
    }
    apply(layers_.front(), x, h, input_.shift != nullptr);
    const bool keeps = kept != nullptr;
    for (std::size_t k = 1; k + 1 < layers_.size(); ++k) {
      if (shape_.residual) {
        const DensePlace &up = layers_[k], &down = layers_[++k];
        float* z = place(up.out, h);
        apply(up, h, z);
        float* a = keeps ? place(up.out, z) : z;
        kernel::activate(shape_.activation, z, a, up.out * kBlock);
        float* sum = keeps ? place(down.out, a) : h;
        if (keeps) std::copy_n(h, down.out * kBlock, sum);
        apply(down, a, sum, true);
        h = sum;
      } else {
        const float* a = activated(layers_[k - 1], h, keeps ? place(layers_[k - 1].out, h) : h);
        h = place(layers_[k].out, a);
        apply(layers_[k], a, h);
      }
    }
    const DensePlace& before = layers_[layers_.size() - 2];
    if (!shape_.residual) h = activated(before, h, keeps ? place(before.out, h) : h);
    const DensePlace& last = layers_.back();
    Room y(last.out);
    apply(last, h, y);
    kernel::transpose(last.out, rows_, {y, kBlock}, {out + first_ * last.out, last.out});
  }

  /// `end`: behind the last number that forward() kept.
  void backward(const float* end, const float* output_gradient, float* gradients,
                float* shift_gradient, float* input_gradient) const {
    const std::int64_t widest = shape_.widest();
    const DensePlace &first = layers_.front(), &last = layers_.back();
    Room dy(last.out), here(widest), there(widest), rows(widest);
    lay(output_gradient + first_ * last.out, rows_, last.out, dy);
    float *g = here, *inner = there;
    // What was kept last.
    const auto take = [&](std::int64_t height) { return end -= height * kBlock; };
    if (shape_.residual) {
      const float* h = take(last.in);
      learn(last, h, dy, rows, gradients);
      take_back(last, dy, g);
      for (std::size_t k = layers_.size() - 2; k >= 2; k -= 2) {
        const DensePlace &up = layers_[k - 1], &down = layers_[k];
        learn(down, take(up.out), g, rows, gradients);
        take_back(down, g, inner);
        kernel::activation_backward(shape_.activation, take(up.out), inner, up.out * kBlock);
        learn(up, take(up.in), inner, rows, gradients);
        take_back(up, inner, g, true);
      }
    } else {
      const float* gradient = dy;
      for (std::size_t k = layers_.size() - 1; k >= 1; --k) {
        learn(layers_[k], take(layers_[k].in), gradient, rows, gradients);
        take_back(layers_[k], gradient, g);
        kernel::activation_backward(shape_.activation, take(layers_[k].in), g,
                                    layers_[k].in * kBlock);
        gradient = g;
        std::swap(g, inner);
      }
      std::swap(g, inner);
    }
    learn_rows(first, input_.x + first_ * first.in, rows_, g, gradients);
    if (shift_gradient != nullptr) {
      kernel::transpose(first.out, rows_, {g, kBlock},
                        {shift_gradient + first_ * first.out, first.out});
    }
    if (input_gradient != nullptr) {
      Room back(first.in);
      take_back(first, g, back);
      kernel::transpose(first.in, rows_, {back, kBlock},
                        {input_gradient + first_ * first.in, first.in});
    }
  }

 private:
  // y [out, kBlock] = W x + b, or onto what is there.
  void apply(const DensePlace& layer, const float* x, float* y, bool onto = false) const {
    kernel::product({layer.out, layer.in, kBlock}, {parameters_ + layer.weight, layer.in, 1},
                    {x, kBlock}, {y, kBlock}, {onto, parameters_ + layer.bias});
  }
  float* activated(const DensePlace& layer, const float* z, float* a) const {
    kernel::activate(shape_.activation, z, a, layer.out * kBlock);
    return a;
  }
  // dx [in, kBlock] = W^T dy, or onto what is there.
  void take_back(const DensePlace& layer, const float* dy, float* dx, bool onto = false) const {
    kernel::product({layer.in, layer.out, kBlock}, {parameters_ + layer.weight, 1, layer.in},
                    {dy, kBlock}, {dx, kBlock}, {onto});
  }
  // dW += dy x^T, db += the sum of dy; x [in, kBlock], laid out as rows in `room` on its way.
  void learn(const DensePlace& layer, const float* x, const float* dy, float* room,
             float* gradients) const {
    kernel::transpose(layer.in, kBlock, {x, kBlock}, {room, layer.in});
    learn_rows(layer, room, kBlock, dy, gradients);
  }
  static void learn_rows(const DensePlace& layer, const float* x, std::int64_t rows,
                         const float* dy, float* gradients) {
    kernel::product({layer.out, rows, layer.in}, {dy, kBlock, 1}, {x, layer.in},
                    {gradients + layer.weight, layer.in}, {true});
    kernel::add_sums(dy, layer.out, gradients + layer.bias);
  }

  const MlpShape& shape_;
  const std::vector<DensePlace>& layers_;
  const float* parameters_;
  std::int64_t first_, rows_;
  MlpInput input_;
};

}  // namespace

std::int64_t MlpShape::widest() const {
  std::int64_t most = 0;
  for (std::size_t k = 0; k + 1 < layers.size(); ++k) most = std::max(most, layers[k].out);
  return most;
}

std::int64_t MlpShape::kept() const {
  std::int64_t sum = 0;
  for (std::size_t k = 0; k + 1 < layers.size(); ++k) {
    // A plain layer keeps z and a; a residual block z, a and the next h.
    sum += layers[k].out * (!residual || k % 2 == 1 ? 2 : 1);
  }
  return sum;
}

void mlp_forward(const MlpShape& shape, const float* parameters, const MlpInput& input,
                 float* out) {
  in_parallel(blocks_of(input.rows), [&](std::int64_t block) {
    Block(shape, parameters, input, block).forward(nullptr, out);
  });
}

void MlpPass::forward(const float* parameters, const MlpInput& input, float* out) {
  const std::int64_t blocks = blocks_of(input.rows), each = shape_.kept() * kBlock;
  if (std::ssize(kept_) < blocks * each) kept_.resize(to_size(blocks * each));
  in_parallel(blocks, [&](std::int64_t block) {
    Block(shape_, parameters, input, block).forward(kept_.data() + block * each, out);
  });
}

void MlpPass::backward(const float* parameters, const MlpInput& input, const float* output_gradient,
                       std::span<float> gradients, float* shift_gradient, float* input_gradient) {
  const std::int64_t each = shape_.kept() * kBlock;
  in_parts(blocks_of(input.rows), gradients, partial_, [&](std::int64_t block, float* own) {
    Block(shape_, parameters, input, block)
        .backward(kept_.data() + (block + 1) * each, output_gradient, own, shift_gradient,
                  input_gradient);
  });
}

}  // namespace gradatim::neural
