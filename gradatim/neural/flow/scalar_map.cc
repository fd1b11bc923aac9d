#include "gradatim/neural/flow/scalar_map.h"

#include "gradatim/core/parallel.h"
#include "gradatim/neural/nn/kernel/affine.h"

namespace gradatim::neural {
namespace {

constexpr std::int64_t kAffineRows = 2048;  // that are worth a thread

void over_rows(std::int64_t rows, const std::function<void(std::int64_t, std::int64_t)>& f) {
  if (at::get_num_threads() > 1) return parallel_for(rows, kAffineRows, f);
  if (rows > 0) f(0, rows);
}

kernel::Affine affine_of(const Tensor& x, const Tensor& parameters, double bound) {
  return {static_cast<float>(bound), x.size(1), parameters.const_data_ptr<float>()};
}

Moved affine_moved(const Tensor& given, const Tensor& parameters, double bound, bool inverse) {
  const kernel::Affine affine = affine_of(given, parameters, bound);
  const Tensor out = at::empty_like(given), log_det = at::empty({given.size(0)}, given.options());
  auto* const pass = inverse ? kernel::affine_inverse : kernel::affine;
  over_rows(given.size(0), [&](std::int64_t first, std::int64_t last) {
    pass(affine, first, last, given.const_data_ptr<float>(), out.data_ptr<float>(),
         log_det.data_ptr<float>());
  });
  return {out, log_det};
}

class AffinePass : public torch::autograd::Function<AffinePass> {
 public:
  using Context = torch::autograd::AutogradContext;
  using Tensors = torch::autograd::variable_list;

  static Tensors forward(Context* context, const Tensor& given, const Tensor& parameters,
                         double bound, bool inverse) {
    Moved there = affine_moved(given, parameters, bound, inverse);
    context->save_for_backward({inverse ? there.x : given, parameters});
    context->saved_data["bound"] = bound;
    context->saved_data["inverse"] = inverse;
    return {there.x, there.log_det};
  }

  static Tensors backward(Context* context, const Tensors& by) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &parameters = saved[1];
    const auto affine = affine_of(x, parameters, context->saved_data["bound"].toDouble());
    const Tensor out = by[0].defined() ? by[0].contiguous() : at::zeros_like(x);
    const Tensor log = by[1].defined() ? by[1].contiguous() : at::zeros({x.size(0)}, x.options());
    const Tensor in = at::empty_like(x), learned = at::empty_like(parameters);
    const kernel::AffineGradient gradient{.inverse = context->saved_data["inverse"].toBool(),
                                          .out = out.const_data_ptr<float>(),
                                          .log_det = log.const_data_ptr<float>(),
                                          .in = in.data_ptr<float>(),
                                          .parameters = learned.data_ptr<float>()};
    over_rows(x.size(0), [&](std::int64_t first, std::int64_t last) {
      kernel::affine_backward(affine, first, last, x.const_data_ptr<float>(), gradient);
    });
    return {in, learned, {}, {}};
  }
};

class AdditiveMap final : public ScalarMap {
 public:
  std::int64_t parameters() const override { return 1; }
  Moved forward(const Tensor& x, const Tensor& parameters) const override {
    return {x + parameters.select(1, 0), {}};
  }
  Moved inverse(const Tensor& y, const Tensor& parameters) const override {
    return {y - parameters.select(1, 0), {}};
  }
};

class AffineMap final : public ScalarMap {
 public:
  explicit AffineMap(double bound) : bound_(bound) {}
  std::int64_t parameters() const override { return 2; }
  Moved forward(const Tensor& x, const Tensor& parameters) const override {
    if (by_hand(x)) return pass(x, parameters, false);
    const Tensor s = log_scale(parameters);
    return {at::addcmul(parameters.select(1, 1), x, s.exp()), s.sum(1)};
  }
  Moved inverse(const Tensor& y, const Tensor& parameters) const override {
    if (by_hand(y)) return pass(y, parameters, true);
    const Tensor s = log_scale(parameters).neg();
    return {(y - parameters.select(1, 1)) * s.exp(), s.sum(1)};
  }

 private:
  static bool by_hand(const Tensor& x) { return x.is_cpu() && x.scalar_type() == at::kFloat; }
  Moved pass(const Tensor& given, const Tensor& parameters, bool inverse) const {
    if (!at::GradMode::is_enabled()) return affine_moved(given, parameters, bound_, inverse);
    const auto there = AffinePass::apply(given, parameters, bound_, inverse);
    return {there[0], there[1]};
  }
  Tensor log_scale(const Tensor& parameters) const {
    return at::tanh(parameters.select(1, 0) / bound_) * bound_;
  }

  double bound_;
};

}  // namespace

std::unique_ptr<ScalarMap> additive_map() { return std::make_unique<AdditiveMap>(); }
std::unique_ptr<ScalarMap> affine_map(double bound) { return std::make_unique<AffineMap>(bound); }

}  // namespace gradatim::neural
