// The multilayer perceptron of network/mlp.cc. On a processor its passes are written by hand
// (mlp_pass.h); forward() under an active gradient mode, and other devices, leave them to torch.
//
//   h_0 = [x, time], z_1 = W_1 h_0 + b_1 (+ label vector), h_k = a(z_k), out = W h_L + b
//
// or, residual: h_1 = W_0 h_0 + b_0, h_{k+1} = h_k + W_k2 a(W_k1 h_k + b_k1) + b_k2.
#include "gradatim/neural/network/mlp.h"

#include <numbers>
#include <optional>

#include "gradatim/neural/nn/activated.h"
#include "gradatim/neural/nn/mlp_along_function.h"
#include "gradatim/neural/nn/mlp_pass.h"
#include "gradatim/neural/nn/net.h"
#include "gradatim/neural/nn/time_embedding.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

constexpr std::int64_t kTimeWidth = 64;

// a(z) and its derivative, which can both be differentiated.
struct Activated {
  Tensor value, slope;
};
Activated with_slope(Activation kind, const Tensor& z) {
  switch (kind) {
    case Activation::silu: {
      const Tensor s = z.sigmoid(), a = z * s;
      return {a, s + a * (1.0 - s)};
    }
    case Activation::gelu: {
      const Tensor below = 0.5 * (1.0 + (z * (1.0 / std::numbers::sqrt2)).erf());
      const Tensor density =
          (z.square() * -0.5).exp() * (0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2);
      return {z * below, below + z * density};
    }
    case Activation::relu: return {at::relu(z), (z > 0.0).to(z.scalar_type())};
    case Activation::selu: {
      constexpr double kScale = 1.0507009873554805, kAlpha = 1.6732632423543772;
      const Tensor below = z.clamp_max(0.0).exp() * (kScale * kAlpha);
      return {at::selu(z), at::where(z > 0.0, at::full_like(z, kScale), below)};
    }
    case Activation::tanh: {
      const Tensor a = z.tanh();
      return {a, 1.0 - a.square()};
    }
  }
  return {z, at::ones_like(z)};
}

struct Linear {
  Tensor weight, bias;  // [out, in], [out]

  // As two layers begin whose outputs are added, one of the state and one of the time.
  static Linear of_state_and_time(const Scope& scope, std::int64_t dims, std::int64_t out) {
    const double root = std::sqrt(static_cast<double>(dims));
    Init weights = Init::of_inputs(dims);
    weights.last = root;  // so that its bound is 1
    return {scope.add("weight", {out, dims + 1}, weights),
            scope.add("bias", {out}, Init::uniform(std::hypot(1.0, 1.0 / root)))};
  }
  Linear(Tensor given_weight, Tensor given_bias)
      : weight(std::move(given_weight)), bias(std::move(given_bias)) {}
  Linear(const Scope& scope, std::int64_t in, std::int64_t out)
      : weight(scope.add("weight", {out, in}, Init::of_inputs(in))),
        bias(scope.add("bias", {out}, Init::of_inputs(in))) {}

  Tensor operator()(const Tensor& x) const { return at::addmm(bias, x, weight.t()); }
};

class Mlp final : public Net {
 public:
  Mlp(const MlpConfig& config, const NetworkShape& shape)
      : config_(config), shape_(shape), dims_(c10::multiply_integers(shape.sample)) {
    const Scope root(parameters());
    const bool embedded = config.time_input == TimeInput::embedded;
    const std::int64_t inputs = dims_ + (embedded ? kTimeWidth : 1);
    const std::int64_t width = config.width;
    layers_.push_back(embedded ? Linear(root / "input", inputs, width)
                               : Linear::of_state_and_time(root / "input", dims_, width));
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
    if (!plain) return shaped(pass(input));
    const bool one_time = input.t.numel() == 1;
    const Tensor x = one_time ? flat(input.x).contiguous() : first_input(input);
    const Tensor time = one_time ? time_input(input) : Tensor(), shift = shift_of(input);
    MlpInput rows = rows_of(x, shift);
    if (one_time) rows.shared = {time.const_data_ptr<float>(), to_size(time.numel())};
    const Tensor out = output_of(x);
    mlp_forward(places(), values(), rows, out.data_ptr<float>());
    return shaped(out);
  }

  Tensor features(const NetInput& input) override { return hidden(input); }

  Along along(const NetInput& input, const Tensor& directions) override {
    if (config_.residual || !parameters().values().is_cpu()) return torch_along(input, directions);
    const Tensor x = flat(input.x).contiguous();
    const Tensor time = time_input(input);
    const Tensor first = at::cat({x, time.expand({x.size(0), time.size(1)})}, 1);
    const Tensor shift = shift_of(input), z = directions.contiguous();
    const AlongShape shape{places(), parameters().count(), dims_};
    if (!at::GradMode::is_enabled()) {
      const auto [out, products] =
          AlongPass(shape, values(), first.detach(), shift, z).forward(false);
      return {shaped(out), products};
    }
    std::vector<Tensor> parts;
    for (const auto& item : parameters().items()) {
      if (!labels_.defined() || !item.value.is_same(labels_)) parts.push_back(item.value);
    }
    const auto made = AlongFunction::apply(shape, values(), x, first.detach(),
                                           shift.defined() ? std::optional(shift) : std::nullopt, z,
                                           at::TensorList(parts));
    return {shaped(made[0]), made[1]};
  }

  // Directions go forward beside the states, all of them behind one another.
  Along torch_along(const NetInput& input, const Tensor& directions) const {
    const Linear& first = layers_.front();
    const Tensor of_state = first.weight.narrow(1, 0, dims_).t();
    const Tensor of_time = first.weight.narrow(1, dims_, first.weight.size(1) - dims_).t();
    Tensor h =
        at::addmm(at::addmm(first.bias, time_input(input), of_time), flat(input.x), of_state);
    if (labels_.defined()) h = h + labels_.index_select(0, input.labels);
    Tensor d = at::matmul(directions, of_state);  // [directions, rows or 1, width]
    const auto through = [&](const Linear& layer) {
      h = layer(h);
      d = at::matmul(d, layer.weight.t());
    };
    const auto activate = [&] {
      const auto [value, slope] = with_slope(config_.activation, h);
      h = value;
      d = d * slope;
    };
    for (std::size_t k = 1; k + 1 < layers_.size(); ++k) {
      if (config_.residual) {
        const Tensor below = h, d_below = d;
        through(layers_[k]);
        activate();
        through(layers_[++k]);
        h = h + below;
        d = d + d_below;
      } else {
        activate();
        through(layers_[k]);
      }
    }
    if (!config_.residual) activate();
    through(layers_.back());
    return {shaped(h), d.expand({d.size(0), h.size(0), h.size(1)})};
  }

  bool row_by_row() const override { return parameters().values().is_cpu(); }
  // Threads wait for each other once a pass.
  double operations_at_once() const override {
    return 2.0 * static_cast<double>(parameters().count());
  }

  Tensor run(const NetInput& input) override {
    if (!parameters().values().is_cpu()) return Net::run(input);
    if (!training_) training_.emplace(places());
    label_ids_ = input.labels;
    input_ = first_input(input);
    shift_ = shift_of(input);
    const Tensor out = output_of(input_);
    training_->forward(values(), rows_of(input_, shift_), out.data_ptr<float>());
    return shaped(out);
  }

  void backward(const Tensor& output_gradient) override {
    if (!parameters().values().is_cpu()) return Net::backward(output_gradient);
    const Tensor flat = output_gradient.reshape({output_gradient.size(0), -1}).contiguous();
    const Tensor shift = shift_.defined() ? at::empty_like(shift_) : shift_;
    const Tensor& all = parameters().gradients();
    training_->backward(values(), rows_of(input_, shift_), flat.const_data_ptr<float>(),
                        {all.data_ptr<float>(), to_size(all.numel())},
                        shift.defined() ? shift.data_ptr<float>() : nullptr);
    if (labels_.defined()) labels_.mutable_grad().index_add_(0, label_ids_, shift);
  }

  void end_training() override {
    training_.reset();
    label_ids_ = input_ = shift_ = Tensor();
    Net::end_training();
  }

 protected:
  bool takes_bfloat16() const override { return false; }

 private:
  const float* values() const { return parameters().values().const_data_ptr<float>(); }
  // What labels add behind the first layer, or nothing.
  Tensor shift_of(const NetInput& input) const {
    return labels_.defined() ? labels_.index_select(0, input.labels) : Tensor();
  }
  Tensor output_of(const Tensor& x) const {
    return at::empty({x.size(0), layers_.back().weight.size(0)}, at::kFloat);
  }
  static MlpInput rows_of(const Tensor& x, const Tensor& shift) {
    return {x.const_data_ptr<float>(), shift.defined() ? shift.const_data_ptr<float>() : nullptr,
            x.size(0)};
  }

  MlpShape places() const {
    const auto offset = [this](const Tensor& parameter) {
      return parameter.const_data_ptr<float>() - values();
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

  Tensor flat(const Tensor& x) const { return x.reshape({x.size(0), dims_}); }
  // [rows or 1, 1 or kTimeWidth]
  Tensor time_input(const NetInput& input) const {
    const Tensor scaled = input.t * shape_.time_scale;
    return config_.time_input == TimeInput::plain
               ? (scaled * 1e-3).unsqueeze(1)
               : time_embedding(scaled * shape_.wave_scale, kTimeWidth);
  }
  Tensor first_input(const NetInput& input) const {
    return at::cat({flat(input.x), time_input(input)}, 1);
  }

  // By torch, which can differentiate it.
  Tensor pass(const NetInput& input) const { return layers_.back()(hidden(input)); }

  // h_L
  Tensor hidden(const NetInput& input) const {
    Tensor h = layers_.front()(first_input(input));
    if (labels_.defined()) h = h + labels_.index_select(0, input.labels);
    if (!config_.residual) {
      for (std::size_t k = 1; k < layers_.size(); ++k) {
        h = activated(config_.activation, h);
        if (k + 1 < layers_.size()) h = layers_[k](h);
      }
      return h;
    }
    for (std::size_t k = 1; k + 1 < layers_.size(); k += 2) {
      h = h + layers_[k + 1](activated(config_.activation, layers_[k](h)));
    }
    return h;
  }

  MlpConfig config_;
  NetworkShape shape_;
  std::int64_t dims_;
  std::vector<Linear> layers_;
  Tensor labels_;                     // [classes + 1, width]
  Tensor label_ids_, input_, shift_;  // of the last run()
  std::optional<MlpPass> training_;
};

}  // namespace
}  // namespace gradatim::neural

extern "C" gradatim::neural::Net* gradatim_make_mlp(const void* config,
                                                    const gradatim::neural::NetworkShape& shape) {
  using gradatim::neural::MlpConfig;
  return new gradatim::neural::Mlp(*static_cast<const MlpConfig*>(config), shape);
}
