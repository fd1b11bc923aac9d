// The multilayer perceptron of network/mlp.cc, its backward pass written by hand.
//
//   h_0 = [x, time], z_1 = W_1 h_0 + b_1 (+ label vector), h_k = a(z_k), out = W h_L + b
//
// or, residual: h_1 = W_0 h_0 + b_0, h_{k+1} = h_k + W_k2 a(W_k1 h_k + b_k1) + b_k2.
#include "gradatim/neural/network/mlp.h"

#include <mutex>
#include <optional>

#include "gradatim/neural/nn/mlp_pass.h"
#include "gradatim/neural/nn/net.h"
#include "gradatim/neural/nn/time_embedding.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

constexpr std::int64_t kTimeWidth = 64;

Tensor activated(Activation kind, const Tensor& z) {
  switch (kind) {
    case Activation::silu: return at::silu(z);
    case Activation::gelu: return at::gelu(z);
    case Activation::relu: return at::relu(z);
    case Activation::selu: return at::selu(z);
    case Activation::tanh: return at::tanh(z);
  }
  return z;
}

// d loss / d z from d loss / d a(z).
Tensor activation_gradient(Activation kind, const Tensor& gradient, const Tensor& z) {
  constexpr double kSeluAlpha = 1.6732632423543772, kSeluScale = 1.0507009873554805;
  switch (kind) {
    case Activation::silu: return at::silu_backward(gradient, z);
    case Activation::gelu: return at::gelu_backward(gradient, z);
    case Activation::relu: return at::threshold_backward(gradient, z, 0.0);
    case Activation::selu: return at::elu_backward(gradient, kSeluAlpha, kSeluScale, 1.0, false, z);
    case Activation::tanh: return at::tanh_backward(gradient, at::tanh(z));
  }
  return gradient;
}

struct Linear {
  Tensor weight, bias;  // [out, in], [out]

  Linear(const Scope& scope, std::int64_t in, std::int64_t out)
      : weight(scope.add("weight", {out, in}, Init::of_inputs(in))),
        bias(scope.add("bias", {out}, Init::of_inputs(in))) {}

  Tensor operator()(const Tensor& x) const { return at::addmm(bias, x, weight.t()); }
  /// Adds to the parameters' gradients; d loss / d x where it is asked for.
  Tensor backward(const Tensor& x, const Tensor& gradient, bool wanted = true) const {
    weight.mutable_grad().addmm_(gradient.t(), x);
    bias.mutable_grad().add_(gradient.sum(0));
    return wanted ? at::mm(gradient, weight) : Tensor();
  }
};

class Mlp final : public Net {
 public:
  Mlp(const MlpConfig& config, const NetworkShape& shape)
      : config_(config), shape_(shape), dims_(c10::multiply_integers(shape.sample)) {
    const Scope root(parameters());
    const bool embedded = config.time_input == TimeInput::embedded;
    const std::int64_t inputs = dims_ + (embedded ? kTimeWidth : 1);
    const std::int64_t width = config.width;
    layers_.emplace_back(root / "input", inputs, width);
    for (int k = 0; k + 1 < config.layers && !config.residual; ++k) {
      layers_.emplace_back(root / "layers" / k, width, width);
    }
    for (int k = 0; k < config.layers && config.residual; ++k) {
      const Scope block = root / "blocks" / k;
      layers_.emplace_back(block / "up", width, width * config.expansion);
      layers_.emplace_back(block / "down", width * config.expansion, width);
    }
    layers_.emplace_back(root / "output", width,
                         shape.scores > 0 ? shape.scores : dims_ * shape.outputs);
    if (shape.classes > 0) {
      labels_ = root.add("labels", {shape.classes + 1, width}, Init::normal(1.0));
    }
  }

  Tensor forward(const NetInput& input) override {
    const bool plain = !at::GradMode::is_enabled() && parameters().values().is_cpu();
    if (!plain) return shaped(pass(input, nullptr));
    const std::scoped_lock one_at_a_time(sampling_mutex_);  // several fields may share a network
    return quick(sampling_, input, first_input(input));
  }

  Tensor features(const NetInput& input) override { return hidden(input, nullptr); }

  double operations() const override { return 2.0 * static_cast<double>(parameters().count()); }

  Tensor run(const NetInput& input) override {
    label_ids_ = input.labels;
    if (parameters().values().is_cpu()) {
      input_ = first_input(input);
      return quick(training_, input, input_);
    }
    kept_.clear();
    return shaped(pass(input, &kept_));
  }

  void backward(const Tensor& output_gradient) override {
    const Tensor flat = output_gradient.reshape({output_gradient.size(0), -1}).contiguous();
    if (parameters().values().is_cpu()) return quick_backward(flat);
    Tensor gradient = last().backward(kept_.back(), flat);
    gradient = config_.residual ? backward_blocks(gradient) : backward_layers(gradient);
    if (labels_.defined()) labels_.mutable_grad().index_add_(0, label_ids_, gradient);
    layers_.front().backward(kept_.front(), gradient, false);
    kept_.clear();
  }

 protected:
  bool takes_bfloat16() const override { return false; }

 private:
  const Linear& last() const { return layers_.back(); }

  // The same in memory, by hand.
  Tensor quick(std::optional<MlpPass>& by_hand, const NetInput& input, const Tensor& x) {
    if (!by_hand) by_hand.emplace(in_memory());
    const Tensor shift = labels_.defined() ? labels_.index_select(0, input.labels) : Tensor();
    const Tensor out = at::empty({x.size(0), layers_.back().weight.size(0)}, at::kFloat);
    by_hand->forward(parameters().values().const_data_ptr<float>(), x.const_data_ptr<float>(),
                     shift.defined() ? shift.const_data_ptr<float>() : nullptr, x.size(0),
                     out.data_ptr<float>());
    return shaped(out);
  }

  void quick_backward(const Tensor& gradient) {
    const Tensor shift =
        labels_.defined() ? at::empty({gradient.size(0), config_.width}, at::kFloat) : Tensor();
    const Tensor& all = parameters().gradients();
    training_->backward(parameters().values().const_data_ptr<float>(),
                        input_.const_data_ptr<float>(), gradient.const_data_ptr<float>(),
                        {all.data_ptr<float>(), to_size(all.numel())},
                        shift.defined() ? shift.data_ptr<float>() : nullptr);
    if (labels_.defined()) labels_.mutable_grad().index_add_(0, label_ids_, shift);
  }

  MlpShape in_memory() const {
    const auto offset = [this](const Tensor& parameter) {
      return parameter.const_data_ptr<float>() - parameters().values().const_data_ptr<float>();
    };
    MlpShape shape{.residual = config_.residual, .activation = config_.activation};
    for (const Linear& layer : layers_) {
      shape.layers.push_back(
          {offset(layer.weight), offset(layer.bias), layer.weight.size(1), layer.weight.size(0)});
    }
    return shape;
  }

  Tensor shaped(const Tensor& flat) const {
    if (shape_.scores > 0) return flat;
    std::vector<std::int64_t> sizes{flat.size(0)};
    sizes.insert(sizes.end(), shape_.sample.begin(), shape_.sample.end());
    sizes[1] *= shape_.outputs;
    return flat.view(sizes);
  }

  Tensor first_input(const NetInput& input) const {
    const Tensor x = input.x.reshape({input.x.size(0), dims_});
    const Tensor scaled = input.t * shape_.time_scale;
    const Tensor t = config_.time_input == TimeInput::plain ? (scaled * 1e-3).unsqueeze(1)
                                                            : time_embedding(scaled, kTimeWidth);
    return at::cat({x, t}, 1);
  }

  Tensor pass(const NetInput& input, std::vector<Tensor>* kept) const {
    return last()(hidden(input, kept));
  }

  // h_L. Keeps, where `kept` is given, h_0 and then what the backward pass of each layer needs.
  Tensor hidden(const NetInput& input, std::vector<Tensor>* kept) const {
    const auto keep = [kept](const Tensor& x) {
      if (kept != nullptr) kept->push_back(x);
    };
    Tensor h = first_input(input);
    keep(h);
    h = layers_.front()(h);
    if (labels_.defined()) h = h + labels_.index_select(0, input.labels);
    if (!config_.residual) {
      for (std::size_t k = 1; k < layers_.size(); ++k) {
        keep(h);
        h = activated(config_.activation, h);
        keep(h);
        if (k + 1 < layers_.size()) h = layers_[k](h);
      }
      return h;
    }
    for (std::size_t k = 1; k + 1 < layers_.size(); k += 2) {
      const Tensor z = layers_[k](h);
      const Tensor a = activated(config_.activation, z);
      keep(h);
      keep(z);
      keep(a);
      h = h + layers_[k + 1](a);
    }
    keep(h);
    return h;
  }

  // From d loss / d h_L to d loss / d z_1; kept: h_0, z_1, h_1, ..., z_L, h_L.
  Tensor backward_layers(Tensor gradient) const {
    for (std::size_t k = layers_.size() - 1; k >= 1; --k) {
      gradient = activation_gradient(config_.activation, gradient, kept_[2 * k - 1]);
      if (k > 1) gradient = layers_[k - 1].backward(kept_[2 * k - 2], gradient);
    }
    return gradient;
  }

  // kept: h_0, then (h, z, a) a block, then the last h.
  Tensor backward_blocks(Tensor gradient) const {
    for (std::size_t k = layers_.size() - 2; k >= 2; k -= 2) {
      const std::size_t at = 1 + (k / 2 - 1) * 3;
      Tensor inner = layers_[k].backward(kept_[at + 2], gradient);
      inner = activation_gradient(config_.activation, inner, kept_[at + 1]);
      gradient = gradient + layers_[k - 1].backward(kept_[at], inner);
    }
    return gradient;
  }

  MlpConfig config_;
  NetworkShape shape_;
  std::int64_t dims_;
  std::vector<Linear> layers_;
  Tensor labels_;  // [classes + 1, width]
  std::vector<Tensor> kept_;
  Tensor label_ids_, input_;
  std::optional<MlpPass> training_, sampling_;
  std::mutex sampling_mutex_;
};

}  // namespace
}  // namespace gradatim::neural

extern "C" gradatim::neural::Net* gradatim_make_mlp(const void* config,
                                                    const gradatim::neural::NetworkShape& shape) {
  using gradatim::neural::MlpConfig;
  return new gradatim::neural::Mlp(*static_cast<const MlpConfig*>(config), shape);
}
