#include "gradatim/neural/flow/scalar_map.h"

namespace gradatim::neural {
namespace {

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
    const Tensor s = log_scale(parameters);
    return {at::addcmul(parameters.select(1, 1), x, s.exp()), s.sum(1)};
  }
  Moved inverse(const Tensor& y, const Tensor& parameters) const override {
    const Tensor s = log_scale(parameters).neg();
    return {(y - parameters.select(1, 1)) * s.exp(), s.sum(1)};
  }

 private:
  Tensor log_scale(const Tensor& parameters) const {
    return at::tanh(parameters.select(1, 0) / bound_) * bound_;
  }

  double bound_;
};

}  // namespace

std::unique_ptr<ScalarMap> additive_map() { return std::make_unique<AdditiveMap>(); }
std::unique_ptr<ScalarMap> affine_map(double bound) { return std::make_unique<AffineMap>(bound); }

}  // namespace gradatim::neural
