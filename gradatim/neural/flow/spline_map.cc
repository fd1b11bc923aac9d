#include "gradatim/neural/flow/spline_map.h"

#include "gradatim/core/parallel.h"
#include "gradatim/neural/nn/kernel/product.h"
#include "gradatim/neural/nn/kernel/spline.h"

namespace gradatim::neural {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kGrain = 8;  // blocks that are worth a thread

// Calls f(first, last) over the blocks of a spline's numbers.
void over_blocks(const kernel::Spline& spline,
                 const std::function<void(std::int64_t, std::int64_t)>& f) {
  const std::int64_t count = spline.rows * spline.numbers;
  const std::int64_t blocks = (count + kernel::kBlock - 1) / kernel::kBlock;
  if (at::get_num_threads() > 1) return parallel_for(blocks, kGrain, f);
  if (blocks > 0) f(0, blocks);
}

kernel::Spline spline_of(const Tensor& x, const Tensor& parameters, double bound) {
  return {.bins = (parameters.size(1) + 1) / 3,
          .bound = static_cast<float>(bound),
          .rows = x.size(0),
          .numbers = x.size(1),
          .parameters = parameters.const_data_ptr<float>()};
}

Moved moved(const Tensor& given, const Tensor& parameters, double bound, bool inverse) {
  const kernel::Spline spline = spline_of(given, parameters, bound);
  const Tensor out = at::empty_like(given), log = at::empty_like(given);
  auto* const pass = inverse ? kernel::spline_inverse : kernel::spline;
  over_blocks(spline, [&](std::int64_t first, std::int64_t last) {
    pass(spline, first, last, given.const_data_ptr<float>(), out.data_ptr<float>(),
         log.data_ptr<float>());
  });
  return {out, given.size(1) == 1 ? log.view({-1}) : log.sum(1)};
}

class SplinePass : public torch::autograd::Function<SplinePass> {
 public:
  static variable_list forward(AutogradContext* context, const Tensor& given,
                               const Tensor& parameters, double bound, bool inverse) {
    Moved there = moved(given, parameters, bound, inverse);
    context->save_for_backward({inverse ? there.x : given, parameters});
    context->saved_data["bound"] = bound;
    context->saved_data["inverse"] = inverse;
    return {there.x, there.log_det};
  }

  static variable_list backward(AutogradContext* context, const variable_list& by) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &parameters = saved[1];
    const auto spline = spline_of(x, parameters, context->saved_data["bound"].toDouble());
    const Tensor out = by[0].defined() ? by[0].contiguous() : at::zeros_like(x);
    const Tensor log = by[1].defined() ? by[1].contiguous() : at::zeros({x.size(0)}, x.options());
    const Tensor in = at::empty_like(x), learned = at::empty_like(parameters);
    const kernel::SplineGradient gradient{.inverse = context->saved_data["inverse"].toBool(),
                                          .out = out.const_data_ptr<float>(),
                                          .log_slope = log.const_data_ptr<float>(),
                                          .in = in.data_ptr<float>(),
                                          .parameters = learned.data_ptr<float>()};
    over_blocks(spline, [&](std::int64_t first, std::int64_t last) {
      kernel::spline_backward(spline, first, last, x.const_data_ptr<float>(), gradient);
    });
    return {in, learned, {}, {}};
  }
};

class SplineMap final : public ScalarMap {
 public:
  SplineMap(std::int64_t bins, double bound) : bins_(bins), bound_(bound) {}
  std::int64_t parameters() const override { return 3 * bins_ - 1; }
  Moved forward(const Tensor& x, const Tensor& parameters) const override {
    return pass(x, parameters, false);
  }
  Moved inverse(const Tensor& y, const Tensor& parameters) const override {
    return pass(y, parameters, true);
  }

 private:
  Moved pass(const Tensor& given, const Tensor& parameters, bool inverse) const {
    if (!given.is_cpu()) return plain_spline(given, parameters, bound_, inverse);
    if (!at::GradMode::is_enabled()) return moved(given, parameters, bound_, inverse);
    const auto there = SplinePass::apply(given, parameters, bound_, inverse);
    return {there[0], there[1]};
  }

  std::int64_t bins_;
  double bound_;
};

}  // namespace

std::unique_ptr<ScalarMap> spline_map(std::int64_t bins, double bound) {
  return std::make_unique<SplineMap>(bins, bound);
}

}  // namespace gradatim::neural
