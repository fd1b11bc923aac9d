// Each of a few numbers to one of L levels, equally far apart in [-1, 1]:
//
//   r = round(h tanh(z + shift) - o) / floor(L / 2),   h = (L - 1) (1 + 1e-3) / 2,
//   o = 1/2 where L is even, else 0, and shift = artanh(o / h), so that 0 stays 0.
//
// The margin of h keeps the shift finite where L = 2. The levels of all numbers are the digits of
// one code, the first the lowest.
#include "gradatim/neural/quantizer/finite_scalar.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/neural/quantize/codebook_function.h"
#include "gradatim/neural/quantize/few_numbers.h"
#include "gradatim/neural/quantize/vector_quantizer.h"

namespace gradatim::neural {
namespace {

constexpr std::int64_t kMostLevelCodes = 1 << 24;

class FiniteScalar final : public VectorQuantizer {
 public:
  FiniteScalar(const Scope& scope, std::int64_t dims, const FiniteScalarConfig& config)
      : few_(scope, dims, static_cast<std::int64_t>(config.levels.size)) {
    GRADATIM_CHECK(!config.levels.empty(), UsageError, 1147,
                   "levels name no number; give at least one, as in 8,5,5,5");
    std::vector<double> half, offset, shift;
    std::vector<std::int64_t> middle, count, place;
    for (const int levels : config.levels) {
      half.push_back((levels - 1) * 1.001 / 2.0);
      offset.push_back(levels % 2 == 0 ? 0.5 : 0.0);
      shift.push_back(std::atanh(offset.back() / half.back()));
      middle.push_back(levels / 2);
      count.push_back(levels);
      place.push_back(size_[0]);
      size_[0] *= levels;
      GRADATIM_CHECK(size_[0] <= kMostLevelCodes, UsageError, 1147,
                     "levels make more than {} codes together; take fewer numbers or levels",
                     kMostLevelCodes);
    }
    const auto row = [](const auto& numbers) { return at::tensor(numbers); };
    half_ = row(half).to(at::kFloat);
    offset_ = row(offset).to(at::kFloat);
    shift_ = row(shift).to(at::kFloat);
    middle_ = row(middle);
    count_ = row(count);
    place_ = row(place);
  }

  std::span<const std::int64_t> sizes() const override { return size_; }

  Quantized quantize(const Tensor& z, const QuantizeStep& /*step*/) override {
    const Tensor bounded = few_.in(z).add(shift_).tanh() * half_ - offset_;
    const Tensor rounded = bounded.detach().round();
    const Tensor seen = passed_through(bounded, rounded) / middle_;
    return {code_of(rounded), few_.out(seen), {}};
  }
  Tensor codes(const Tensor& z) const override {
    return code_of((few_.in(z).add(shift_).tanh() * half_ - offset_).round());
  }
  Tensor decode(const Tensor& codes) const override {
    const Tensor digits = at::div(codes, place_, "floor").remainder(count_);  // [vectors, numbers]
    return few_.out((digits - middle_).to(at::kFloat) / middle_);
  }

 private:
  Tensor code_of(const Tensor& rounded) const {
    return ((rounded.to(at::kLong) + middle_) * place_).sum(1, /*keepdim=*/true);
  }

  FewNumbers few_;
  std::array<std::int64_t, 1> size_{1};
  Tensor half_, offset_, shift_;   // [numbers], float32
  Tensor middle_, count_, place_;  // [numbers], int64
};

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeQuantizer gradatim_make_finite_scalar;

gradatim::neural::VectorQuantizer* gradatim_make_finite_scalar(const void* config,
                                                               const gradatim::neural::Scope& scope,
                                                               std::int64_t dims) {
  using namespace gradatim::neural;
  return new FiniteScalar(scope, dims, *static_cast<const FiniteScalarConfig*>(config));
}
}
