#include "gradatim/neural/nn/perceptron.h"

#include <algorithm>

#include "gradatim/neural/nn/activated.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Wider layers do better as products of all rows at once.
constexpr std::int64_t kNarrow = 256;

MlpInput input_of(const Tensor& x) { return {x.const_data_ptr<float>(), nullptr, x.size(0)}; }

// A pass for as long as torch may go back through it; then its memory is used again.
struct Kept : torch::CustomClassHolder {
  Kept(std::shared_ptr<SparePasses> given, const MlpShape& shape) : spare(std::move(given)) {
    const std::lock_guard lock(spare->mutex);
    if (spare->passes.empty()) {
      pass = std::make_unique<MlpPass>(shape);
    } else {
      pass = std::move(spare->passes.back());
      spare->passes.pop_back();
    }
  }
  ~Kept() override {
    const std::lock_guard lock(spare->mutex);
    spare->passes.push_back(std::move(pass));
  }

  std::shared_ptr<SparePasses> spare;
  std::unique_ptr<MlpPass> pass;
};

}  // namespace

class PerceptronFunction : public torch::autograd::Function<PerceptronFunction> {
 public:
  // Parameters are told so that torch knows what depends on them; their gradients are not returned.
  static Tensor forward(AutogradContext* context, const Tensor& x, at::TensorList parameters,
                        const Perceptron* perceptron) {
    context->saved_data["perceptron"] = reinterpret_cast<std::int64_t>(perceptron);
    context->saved_data["parameters"] = static_cast<std::int64_t>(parameters.size());
    if (!perceptron->narrow()) {
      std::vector<Tensor> kept;
      const Tensor y = perceptron->wide_forward(x, &kept);
      context->save_for_backward(kept);
      return y;
    }
    auto kept = c10::make_intrusive<Kept>(perceptron->spare_, perceptron->shape());
    const Tensor y = at::empty({x.size(0), perceptron->weights_.back().size(0)}, x.options());
    kept->pass->forward(perceptron->begin(), input_of(x), y.data_ptr<float>());
    context->saved_data["pass"] = at::IValue::make_capsule(std::move(kept));
    context->save_for_backward({x});
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::NoGradGuard plain;
    const auto& perceptron =
        *reinterpret_cast<const Perceptron*>(context->saved_data["perceptron"].toInt());
    variable_list result(to_size(context->saved_data["parameters"].toInt()) + 2);
    const bool further = context->needs_input_grad(0), learns = context->needs_input_grad(1);
    const auto kept = context->get_saved_variables();
    const Tensor gradient = gradients[0].contiguous();
    if (!perceptron.narrow()) {
      result[0] = perceptron.wide_backward(kept, gradient, further, learns);
      return result;
    }
    auto pass = c10::static_intrusive_pointer_cast<Kept>(context->saved_data["pass"].toCapsule());
    const Tensor &first = perceptron.weights_.front().grad(),
                 &last = perceptron.biases_.back().grad();
    float* begin = first.data_ptr<float>();
    const auto size = to_size(last.data_ptr<float>() + last.numel() - begin);
    std::vector<float> unused;  // where nobody learns
    if (!learns) {
      unused.resize(size);
      begin = unused.data();
    }
    if (further) result[0] = at::empty_like(kept[0]);
    pass->pass->backward(perceptron.begin(), input_of(kept[0]), gradient.const_data_ptr<float>(),
                         {begin, size}, nullptr, further ? result[0].data_ptr<float>() : nullptr);
    return result;
  }
};

Perceptron::Perceptron(std::vector<Tensor> weights, std::vector<Tensor> biases,
                       Activation activation)
    : weights_(std::move(weights)),
      biases_(std::move(biases)),
      activation_(activation),
      spare_(std::make_shared<SparePasses>()) {}

bool Perceptron::by_hand() const {
  return weights_.front().is_cpu() && (narrow() || activation_ == Activation::relu);
}

bool Perceptron::narrow() const {
  return weights_.size() >= 2 && std::ranges::all_of(weights_, [](const Tensor& weight) {
           return weight.size(1) <= kNarrow;
         });
}

MlpShape Perceptron::shape() const {
  MlpShape shape{.activation = activation_};
  for (std::size_t k = 0; k < weights_.size(); ++k) {
    shape.layers.push_back({weights_[k].const_data_ptr<float>() - begin(),
                            biases_[k].const_data_ptr<float>() - begin(), weights_[k].size(1),
                            weights_[k].size(0)});
  }
  return shape;
}

Tensor Perceptron::operator()(const Tensor& x) const {
  if (!by_hand()) return layer_by_layer(x);
  const Tensor rows = x.contiguous();
  if (at::GradMode::is_enabled()) {
    std::vector<Tensor> parameters(weights_);
    parameters.insert(parameters.end(), biases_.begin(), biases_.end());
    return PerceptronFunction::apply(rows, at::TensorList(parameters), this);
  }
  if (!narrow()) return wide_forward(rows, nullptr);
  const Tensor y = at::empty({x.size(0), weights_.back().size(0)}, x.options());
  mlp_forward(shape(), begin(), input_of(rows), y.data_ptr<float>());
  return y;
}

Tensor Perceptron::layer_by_layer(const Tensor& x) const {
  Tensor h = x;
  for (std::size_t k = 0; k < weights_.size(); ++k) {
    if (k > 0) h = activated(activation_, h);
    h = at::linear(h, weights_[k], biases_[k]);
  }
  return h;
}

// `kept`: the input of every layer.
Tensor Perceptron::wide_forward(const Tensor& x, std::vector<Tensor>* kept) const {
  Tensor h = x;
  for (std::size_t k = 0; k < weights_.size(); ++k) {
    if (k > 0) h = activation_ == Activation::relu ? h.relu_() : activated(activation_, h);
    if (kept != nullptr) kept->push_back(h);
    h = at::addmm(biases_[k], h, weights_[k].t());
  }
  return h;
}

// Of relu: where a layer's input is 0, nothing goes back.
Tensor Perceptron::wide_backward(const std::vector<Tensor>& kept, const Tensor& gradient,
                                 bool further, bool learns) const {
  Tensor g = gradient;
  for (std::size_t k = weights_.size(); k-- > 0;) {
    if (learns) {
      weights_[k].mutable_grad().addmm_(g.t(), kept[k]);
      biases_[k].mutable_grad().add_(g.sum(0));
    }
    if (k == 0 && !further) return {};
    g = g.mm(weights_[k]);
    if (k > 0) g = at::threshold_backward(g, kept[k], 0.0);
  }
  return g;
}

}  // namespace gradatim::neural
