// Bijection, Architecture, BaseDensity: what a flow is made of, chosen by name. Settings alone;
// what computes is made of them by libgradatim_neural (flow/transform.h, flow/base.h).
#pragma once

#include <cstdint>
#include <functional>
#include <numeric>
#include <string_view>
#include <vector>

#include "gradatim/neural/maker.h"

namespace gradatim::neural {

/// What a flow maps, and what it is given beside it.
struct FlowShape {
  std::vector<std::int64_t> sample;  // {dims}, or {channels, height, width}
  std::int64_t classes = 0;          // labels 0 .. classes - 1; none where 0
  std::int64_t conditions = 0;       // numbers given with each sample
  std::uint64_t seed = 0;            // of the initial values
  bool dequantizes = false;          // whether noise in cells of whole numbers is learned, too

  std::int64_t dims() const {
    return std::accumulate(sample.begin(), sample.end(), std::int64_t{1}, std::multiplies<>());
  }
  /// Numbers that every step is told: a label as one of `classes` ones, and the conditions.
  std::int64_t context() const { return classes + conditions; }
};

/// One invertible step; maker() names a MakeTransform.
class Bijection : public Maker {
 public:
  using Interface = Bijection;
  static constexpr std::string_view kKind = "neural.bijection";
};

/// A chain of them; maker() names a MakeTransform.
class Architecture : public Maker {
 public:
  using Interface = Architecture;
  static constexpr std::string_view kKind = "neural.architecture";
  /// The base density that its paper takes, by the name of a component.
  virtual const char* base() const { return "neural.base.gaussian"; }
};

/// The density where a flow ends; maker() names a MakeBase.
class BaseDensity : public Maker {
 public:
  using Interface = BaseDensity;
  static constexpr std::string_view kKind = "neural.base";
};

}  // namespace gradatim::neural
