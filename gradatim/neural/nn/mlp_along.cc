#include "gradatim/neural/nn/mlp_along.h"

#include <algorithm>
#include <memory>

#include "gradatim/neural/nn/kernel/activation.h"
#include "gradatim/neural/nn/kernel/product.h"
#include "gradatim/neural/nn/mlp_blocks.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

using kernel::kBlock;

// A layer's numbers of one block: values, and behind them those of each direction.
struct Sheet {
  float* values;  // [height, kBlock]
  std::int64_t height;
  float* along(std::int64_t k) const { return values + (k + 1) * height * kBlock; }
};

// One block of rows, there and back.
class AlongBlock {
 public:
  AlongBlock(const MlpShape& shape, const float* parameters, const AlongInput& input,
             std::int64_t block)
      : shape_(shape),
        layers_(shape.layers),
        parameters_(parameters),
        input_(input),
        first_(block * kBlock),
        rows_(std::min(kBlock, input.rows - first_)) {}

  // What a block keeps: of each hidden layer z, and a.
  static std::int64_t kept(const MlpShape& shape, std::int64_t directions) {
    std::int64_t sum = 0;
    for (std::size_t k = 0; k + 1 < shape.layers.size(); ++k) sum += shape.layers[k].out;
    return 2 * (1 + directions) * sum * kBlock;
  }

  void forward(float* room, float* out, float* products) const {
    const DensePlace& first = layers_.front();
    Room x(first.in), z(input_.dims);
    lay(input_.x + first_ * first.in, rows_, first.in, x);
    Sheet here = take(room, first.out);
    if (input_.shift != nullptr)
      lay(input_.shift + first_ * first.out, rows_, first.out, here.values);
    apply(first, first.in, x, here.values, true, input_.shift != nullptr);
    for (std::int64_t k = 0; k < input_.count; ++k) {
      lay_direction(k, z);
      apply(first, input_.dims, z, here.along(k), false);
    }
    for (std::size_t l = 0;; ++l) {
      const Sheet active = take(room, here.height);
      kernel::activate_along(shape_.activation, input_.count, here.height * kBlock, here.values,
                             here.along(0), active.values, active.along(0));
      const DensePlace& next = layers_[l + 1];
      if (l + 2 == layers_.size()) return finish(next, active, out, products);
      here = take(room, next.out);
      apply(next, next.in, active.values, here.values, true);
      for (std::int64_t k = 0; k < input_.count; ++k)
        apply(next, next.in, active.along(k), here.along(k), false);
    }
  }

  /// `end`: behind what forward() kept.
  void backward(float* end, const float* out_gradient, const float* product_gradients,
                float* gradients, float* x_gradient, float* shift_gradient) const {
    const std::int64_t widest = shape_.widest(), sheets = 1 + input_.count;
    const DensePlace &first = layers_.front(), &last = layers_.back();
    Room top(sheets * last.out), one(sheets * widest), other(sheets * widest), rows(widest);
    Sheet above{top, last.out};
    lay(out_gradient + first_ * last.out, rows_, last.out, above.values);
    for (std::int64_t k = 0; k < input_.count; ++k) {
      lay(product_gradients + (k * input_.rows + first_) * last.out, rows_, last.out,
          above.along(k));
    }
    float *target = one, *spare = other;
    for (std::size_t l = layers_.size() - 1; l > 0; --l) {
      const DensePlace& layer = layers_[l];
      const Sheet active = give(end, layer.in), z = give(end, layer.in);
      const Sheet below{target, layer.in};
      for (std::int64_t k = -1; k < input_.count; ++k) {
        learn(layer, active.along(k), above.along(k), rows, gradients, k < 0);
        take_back(layer, layer.in, above.along(k), below.along(k));
      }
      kernel::activation_along_backward(shape_.activation, input_.count, layer.in * kBlock,
                                        z.values, z.along(0), below.values, below.along(0));
      above = below;
      std::swap(target, spare);
    }
    learn_rows(first, input_.x + first_ * first.in, first.in, rows_, above.values, gradients);
    kernel::add_sums(above.values, first.out, gradients + first.bias);
    for (std::int64_t k = 0; k < input_.count; ++k) learn_direction(k, above.along(k), gradients);
    Room by_state(input_.dims);
    take_back(first, input_.dims, above.values, by_state);
    kernel::transpose(input_.dims, rows_, {by_state, kBlock},
                      {x_gradient + first_ * input_.dims, input_.dims});
    if (shift_gradient == nullptr) return;
    kernel::transpose(first.out, rows_, {above.values, kBlock},
                      {shift_gradient + first_ * first.out, first.out});
  }

 private:
  Sheet take(float*& room, std::int64_t height) const {
    const Sheet sheet{room, height};
    room += (1 + input_.count) * height * kBlock;
    return sheet;
  }
  Sheet give(float*& end, std::int64_t height) const {
    end -= (1 + input_.count) * height * kBlock;
    return {end, height};
  }
  const float* direction(std::int64_t k) const {
    return input_.directions + (input_.alike ? k : k * input_.rows + first_) * input_.dims;
  }
  void lay_direction(std::int64_t k, float* block) const {
    if (!input_.alike) return lay(direction(k), rows_, input_.dims, block);
    for (std::int64_t j = 0; j < input_.dims; ++j)
      std::fill_n(block + j * kBlock, kBlock, direction(k)[j]);
  }
  // The part of the first layer that sees the state has learned from z' too.
  void learn_direction(std::int64_t k, const float* gradient, float* gradients) const {
    const DensePlace& first = layers_.front();
    if (!input_.alike) {
      return learn_rows(first, direction(k), input_.dims, rows_, gradient, gradients);
    }
    std::vector<float> sums(to_size(first.out), 0.0F);
    kernel::add_sums(gradient, first.out, sums.data());
    for (std::int64_t i = 0; i < first.out; ++i) {
      float* row = gradients + first.weight + i * first.in;
      for (std::int64_t j = 0; j < input_.dims; ++j) row[j] += sums[to_size(i)] * direction(k)[j];
    }
  }

  void finish(const DensePlace& last, const Sheet& active, float* out, float* products) const {
    Room y(last.out);
    for (std::int64_t k = -1; k < input_.count; ++k) {
      apply(last, last.in, active.along(k), y, k < 0);
      float* to =
          k < 0 ? out + first_ * last.out : products + (k * input_.rows + first_) * last.out;
      kernel::transpose(last.out, rows_, {y, kBlock}, {to, last.out});
    }
  }
  // y = W x, of the first `inner` columns of W; with the bias, or onto what is there.
  void apply(const DensePlace& layer, std::int64_t inner, const float* x, float* y, bool bias,
             bool onto = false) const {
    kernel::product({layer.out, inner, kBlock}, {parameters_ + layer.weight, layer.in, 1},
                    {x, kBlock}, {y, kBlock}, {onto, bias ? parameters_ + layer.bias : nullptr});
  }
  void take_back(const DensePlace& layer, std::int64_t inner, const float* dy, float* dx) const {
    kernel::product({inner, layer.out, kBlock}, {parameters_ + layer.weight, 1, layer.in},
                    {dy, kBlock}, {dx, kBlock}, {});
  }
  static void learn(const DensePlace& layer, const float* x, const float* dy, float* room,
                    float* gradients, bool bias) {
    kernel::transpose(layer.in, kBlock, {x, kBlock}, {room, layer.in});
    learn_rows(layer, room, layer.in, kBlock, dy, gradients);
    if (bias) kernel::add_sums(dy, layer.out, gradients + layer.bias);
  }
  static void learn_rows(const DensePlace& layer, const float* x, std::int64_t width,
                         std::int64_t rows, const float* dy, float* gradients) {
    kernel::product({layer.out, rows, width}, {dy, kBlock, 1}, {x, width},
                    {gradients + layer.weight, layer.in}, {true});
  }

  const MlpShape& shape_;
  const std::vector<DensePlace>& layers_;
  const float* parameters_;
  const AlongInput& input_;
  std::int64_t first_, rows_;
};

}  // namespace

void MlpAlong::forward(const float* parameters, const AlongInput& input, bool keep, float* out,
                       float* products) {
  const std::int64_t blocks = blocks_of(input.rows);
  const std::int64_t each = AlongBlock::kept(shape_, input.count);
  if (keep) kept_.resize(to_size(blocks * each));
  in_parallel(blocks, [&](std::int64_t block) {
    const AlongBlock part(shape_, parameters, input, block);
    if (keep) return part.forward(kept_.data() + block * each, out, products);
    const auto room = std::make_unique_for_overwrite<float[]>(to_size(each));
    part.forward(room.get(), out, products);
  });
}

void MlpAlong::backward(const float* parameters, const AlongInput& input, const float* out_gradient,
                        const float* product_gradients, std::span<float> gradients,
                        float* x_gradient, float* shift_gradient) {
  const std::int64_t blocks = blocks_of(input.rows);
  const std::int64_t each = AlongBlock::kept(shape_, input.count);
  in_parts(blocks, gradients, partial_, [&](std::int64_t block, float* own) {
    AlongBlock(shape_, parameters, input, block)
        .backward(kept_.data() + (block + 1) * each, out_gradient, product_gradients, own,
                  x_gradient, shift_gradient);
  });
}

}  // namespace gradatim::neural
