#include "gradatim/neural/flow/base.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "gradatim/core/normal.h"
#include "gradatim/neural/base/mixture.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

// A chance in (0, 1), of an element or a row.
double inside(const Philox& draws, std::uint64_t place) {
  return std::clamp(draws.uniform(place), 0x1p-53, 1.0 - 0x1p-53);
}

// Elements of rows first_row and on, [rows, dims], as normal draws of one stream.
Tensor prior_rows(std::uint64_t seed, std::int64_t first_row, std::int64_t rows,
                  std::int64_t dims) {
  std::vector<double> numbers(to_size(rows * dims));
  normal_rows(Philox(seed, Stream::prior), to_size(first_row), to_size(dims), numbers);
  return at::tensor(at::ArrayRef<double>(numbers), at::kDouble).to(at::kFloat).view({rows, dims});
}

class GaussianBase final : public Base {
 public:
  explicit GaussianBase(std::int64_t dims) : dims_(dims) {}
  Tensor log_prob(const Tensor& z, const Tensor&) const override {
    const double constant = 0.5 * static_cast<double>(dims_) * std::log(2.0 * std::numbers::pi);
    return z.square().sum(1) * -0.5 - constant;
  }
  Tensor sample(std::uint64_t seed, std::int64_t first_row, std::int64_t rows, const Tensor&,
                double temperature) const override {
    return prior_rows(seed, first_row, rows, dims_) * temperature;
  }

 private:
  std::int64_t dims_;
};

class LogisticBase final : public Base {
 public:
  explicit LogisticBase(std::int64_t dims) : dims_(dims) {}
  // -softplus(z) - softplus(-z) = z - 2 softplus(z)
  Tensor log_prob(const Tensor& z, const Tensor&) const override {
    return (z - 2.0 * at::softplus(z)).sum(1);
  }
  Tensor sample(std::uint64_t seed, std::int64_t first_row, std::int64_t rows, const Tensor&,
                double temperature) const override {
    const Philox draws(seed, Stream::prior);
    const Tensor z = at::empty({rows, dims_}, at::kFloat);
    float* numbers = z.data_ptr<float>();
    for (std::int64_t k = 0; k < rows * dims_; ++k) {
      const double u = inside(draws, to_size(first_row * dims_ + k));
      numbers[k] = static_cast<float>(temperature * (std::log(u) - std::log1p(-u)));
    }
    return z;
  }

 private:
  std::int64_t dims_;
};

class MixtureBase final : public Base {
 public:
  MixtureBase(const MixtureBaseConfig& config, const FlowPlace& place)
      : dims_(place.dims()),
        components_(config.components),
        means_(place.scope.add("means", {components_, dims_}, Init::normal(config.spread))),
        log_deviations_(
            place.scope.add("log_deviations", {components_, dims_}, Init::constant(0.0))),
        scores_(place.scope.add("scores", {components_}, Init::constant(0.0))) {
    if (place.context > 0) {
      context_scores_ =
          place.scope.add("context_scores", {place.context, components_}, Init::constant(0.0));
    }
  }

  Tensor log_prob(const Tensor& z, const Tensor& context) const override {
    const Tensor far = (z.unsqueeze(1) - means_) * log_deviations_.neg().exp();  // [rows, K, dims]
    const double constant = 0.5 * static_cast<double>(dims_) * std::log(2.0 * std::numbers::pi);
    const Tensor each = far.square().sum(2) * -0.5 - log_deviations_.sum(1) - constant;
    return at::logsumexp(each + log_weights(context), 1);
  }

  Tensor sample(std::uint64_t seed, std::int64_t first_row, std::int64_t rows,
                const Tensor& context, double temperature) const override {
    const Tensor chances =
        log_weights(context).exp().expand({rows, components_}).cpu().contiguous();
    const Philox draws(seed, Stream::component);
    const Tensor chosen = at::empty({rows}, at::kLong);
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* chance = chances.const_data_ptr<float>() + row * components_;
      double left = draws.uniform(to_size(first_row + row));
      std::int64_t k = 0;
      while (k + 1 < components_ && (left -= chance[k]) >= 0.0) ++k;
      chosen.data_ptr<std::int64_t>()[row] = k;
    }
    const Tensor normal = prior_rows(seed, first_row, rows, dims_) * temperature;
    return at::addcmul(means_.cpu().index_select(0, chosen), normal,
                       log_deviations_.cpu().index_select(0, chosen).exp());
  }

 private:
  // [rows or 1, K]
  Tensor log_weights(const Tensor& context) const {
    const Tensor scores =
        context_scores_.defined() ? scores_ + context.mm(context_scores_) : scores_.unsqueeze(0);
    return at::log_softmax(scores, 1);
  }

  std::int64_t dims_, components_;
  Tensor means_, log_deviations_;  // [K, dims]
  Tensor scores_;                  // [K]
  Tensor context_scores_;          // [context, K], or undefined
};

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeBase gradatim_make_gaussian_base;
gradatim::neural::MakeBase gradatim_make_logistic_base;
gradatim::neural::MakeBase gradatim_make_mixture_base;

gradatim::neural::Base* gradatim_make_gaussian_base(const void*,
                                                    const gradatim::neural::FlowPlace& place) {
  return new gradatim::neural::GaussianBase(place.dims());
}

gradatim::neural::Base* gradatim_make_logistic_base(const void*,
                                                    const gradatim::neural::FlowPlace& place) {
  return new gradatim::neural::LogisticBase(place.dims());
}

gradatim::neural::Base* gradatim_make_mixture_base(const void* config,
                                                   const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  return new MixtureBase(*static_cast<const MixtureBaseConfig*>(config), place);
}
}
