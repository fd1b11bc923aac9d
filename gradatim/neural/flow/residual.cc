#include "gradatim/neural/flow/residual.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradatim/core/error.h"
#include "gradatim/core/philox.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

constexpr int kMostLot = 40;                  // terms drawn by lot
constexpr std::uint64_t kLotPlace = 1 << 30;  // of the draw that says how many
constexpr double kSettled = 1e-7;             // steps of an iteration that need no further one
constexpr double kNear = 1e-5;                // steps that may be as small as floats allow
constexpr int kPatience = 4;                  // iterations without a smaller step, if near

// A number that a row decides, rounded so that last bits do not matter.
std::uint64_t key_of(const float* row, std::int64_t dims) {
  std::uint64_t key = 0;
  for (std::int64_t k = 0; k < dims; ++k) {
    const float rounded =
        std::nearbyint(64.0F * (std::isfinite(row[k]) ? std::clamp(row[k], -1e6F, 1e6F) : 0.0F));
    key = (key ^ static_cast<std::uint32_t>(static_cast<std::int32_t>(rounded))) *
          0x9E3779B97F4A7C15ULL;
    key ^= key >> 32;
  }
  return key;
}

struct Probes {
  Tensor v;        // of -1 and 1, [rows, 1, dims]
  Tensor weights;  // of the terms, [terms, rows]: 1 / the chance that a term is there, or 0
};

// A row is a pure function of the row of x and the step's number.
Probes probes_of(const Tensor& x, std::int64_t number, int terms) {
  const Tensor host = x.detach().to(at::kCPU).contiguous();
  const std::int64_t rows = x.size(0), dims = x.size(1);
  Probes probes{at::empty({rows, 1, dims}), at::ones({terms + kMostLot, rows})};
  std::int64_t most = terms;
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::uint64_t key = key_of(host.const_data_ptr<float>() + row * dims, dims);
    const Philox draws(key, Stream::probe, static_cast<std::uint32_t>(number));
    float* v = probes.v.data_ptr<float>() + row * dims;
    for (std::int64_t k = 0; k < dims; ++k) {
      v[k] = draws.uniform(to_size(k)) < 0.5 ? -1.0F : 1.0F;
    }
    // Of later terms, each is there with half the chance of the one before.
    const double lot = draws.uniform(kLotPlace);
    for (int k = 0; k < kMostLot; ++k) {
      const double chance = std::exp2(-(k + 1));
      const bool there = lot < chance;
      probes.weights.data_ptr<float>()[(terms + k) * rows + row] =
          there ? static_cast<float>(1.0 / chance) : 0.0F;
      if (there) most = std::max<std::int64_t>(most, terms + k + 1);
    }
  }
  probes.v = probes.v.to(x.device());
  probes.weights = probes.weights.narrow(0, 0, most).to(x.device());
  return probes;
}

// ln det (I + J) of J [rows, dims, dims], |J| < 1.
Tensor log_det_matrix(const Tensor& jacobian) {
  const auto entry = [&](int row, int column) { return jacobian.select(1, row).select(1, column); };
  if (jacobian.size(2) == 1) return at::log1p(entry(0, 0));
  if (jacobian.size(2) == 2) {
    const Tensor a = entry(0, 0), d = entry(1, 1);
    return at::log1p(a + d + (a * d - entry(0, 1) * entry(1, 0)));
  }
  const Tensor whole = jacobian + at::eye(jacobian.size(2), jacobian.options());
  return std::get<1>(at::linalg_slogdet(whole));
}

}  // namespace

Residual::Residual(const FlowPlace& place, const ResidualConfig& config)
    : trace_(config.trace),
      number_(place.number),
      terms_(config.terms),
      iterations_(config.iterations),
      net_(place.scope, place.dims(), place.context,
           {config.width, config.layers, config.lipschitz}) {}

// ln det (I + J) = the sum of (-1)^(k + 1) tr J^k / k, and tr A = E v'Av.
Tensor Residual::log_det_series(const Matrices& matrices, const std::vector<Tensor>& slopes,
                                const Tensor& x) const {
  const Probes probes = probes_of(x, number_, terms_);
  Tensor sum, power = probes.v;
  for (std::int64_t k = 0; k < probes.weights.size(0); ++k) {
    power = Contraction::along(matrices, slopes, power);
    const double factor = (k % 2 == 0 ? 1.0 : -1.0) / static_cast<double>(k + 1);
    const Tensor term = (power * probes.v).sum({1, 2}) * probes.weights[k] * factor;
    sum = add_log_det(sum, term);
  }
  return sum;
}

Moved Residual::moved(const Matrices& matrices, const Tensor& x, const Tensor& context) const {
  const auto passed = net_.pass(matrices, x, context, true);
  if (trace_ == ResidualTrace::series) {
    return {x + passed.g, log_det_series(matrices, passed.slopes, x)};
  }
  const Tensor axes = at::eye(x.size(1), x.options()).unsqueeze(0);
  return {x + passed.g, log_det_matrix(Contraction::along(matrices, passed.slopes, axes))};
}

Moved Residual::forward(const Tensor& x, const Tensor& context) const {
  Moved done = moved(net_.matrices(), x.flatten(1), context);
  return {done.x.view_as(x), std::move(done.log_det)};
}

Tensor Residual::fixed_point(const Matrices& matrices, const Tensor& y,
                             const Tensor& context) const {
  const at::NoGradGuard plain;
  // Row by row: none waits for its neighbours, or ends because of them.
  const Tensor scale = y.abs().amax(1).clamp_min(1.0);
  Tensor x = y.detach(), least = at::full_like(scale, std::numeric_limits<float>::infinity());
  Tensor waited = at::zeros_like(scale), active = at::ones_like(scale, at::kBool);
  for (int k = 0; k < iterations_; ++k) {
    const Tensor next = y - net_.pass(matrices, x, context, false).g;
    const Tensor step = (next - x).abs().amax(1);
    GRADATIM_CHECK(at::isfinite(step).all().item<bool>(), NumericError, 4032,
                   "residual: a sample leads out of the range of floats; it lies too far from 0");
    x = at::where(active.unsqueeze(1), next, x);
    waited = at::where(step < least, at::zeros_like(waited), waited + 1.0);
    least = at::minimum(least, step);
    active =
        active.logical_and((step > kSettled * scale)
                               .logical_and((waited < kPatience).logical_or(step > kNear * scale)));
    if (!active.any().item<bool>()) return x;
  }
  throw NumericError(4033,
                     fmt::format("residual: the inverse has not converged in {} iterations; the "
                                 "last step was {:.2g}: raise iterations or lower lipschitz",
                                 iterations_, least.max().item<double>()));
}

Tensor Residual::gradient_back(const Matrices& matrices, const Tensor& x, const Tensor& context,
                               const Tensor& v) const {
  const at::AutoGradMode graph(true);
  const Tensor at = x.detach().requires_grad_();
  const Tensor g = net_.pass(matrices, at, context, false).g;
  const at::AutoGradMode plain(false);
  Tensor w = v, active = at::ones({v.size(0)}, at::TensorOptions(at::kBool).device(v.device()));
  const Tensor enough = v.abs().amax(1) * 1e-6;
  for (int k = 0; k < iterations_ && active.any().item<bool>(); ++k) {
    const Tensor next = v - torch::autograd::grad({g}, {at}, {w}, true).front();
    const Tensor step = (next - w).abs().amax(1);
    w = at::where(active.unsqueeze(1), next, w);
    active = active.logical_and(step > enough);
  }
  return w;
}

Moved Residual::inverse(const Tensor& y, const Tensor& context) const {
  const Matrices matrices = net_.matrices();
  const Tensor flat = y.flatten(1);
  Tensor x = fixed_point(matrices, flat, context);
  if (at::GradMode::is_enabled()) {
    // One iteration more has the gradients of one; the hook makes them those of all.
    Matrices constants;
    for (const Tensor& matrix : matrices) constants.push_back(matrix.detach());
    const Tensor told = context.defined() ? context.detach() : context;
    const Tensor limit = x;
    x = flat - net_.pass(matrices, limit, context, false).g;
    if (x.requires_grad()) {
      x.register_hook([this, constants, told, limit](const Tensor& v) {
        return gradient_back(constants, limit, told, v);
      });
    }
  }
  const Tensor log_det = moved(matrices, x, context).log_det.neg();
  return {x.view_as(y), log_det};
}

}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeTransform gradatim_make_residual;

gradatim::neural::Transform* gradatim_make_residual(const void* config,
                                                    const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  return new Residual(place, *static_cast<const ResidualConfig*>(config));
}
}
