// Noise: where the normal numbers of sampling come from.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "gradatim/process/form.h"

namespace gradatim::process {

/// One sampling's source of noise.
class NoiseSource {
 public:
  virtual ~NoiseSource() = default;
  /// Whether numbers come in the order of asking, a whole batch at a time, as torch's do; else any
  /// part can be drawn alone.
  virtual bool in_order() const { return false; }
  /// Elements [element, element + out.size()) of a row of `dims`; `element` is a multiple of 4.
  virtual void part(Draw draw, std::int64_t row, std::int64_t dims, std::int64_t element,
                    std::span<double> out) const = 0;
  /// All rows of a batch whose first row is `row`, row-major.
  virtual void whole(Draw draw, std::int64_t row, std::int64_t dims, std::span<double> out);
};

/// A kind of noise, chosen by name.
class Noise {
 public:
  using Interface = Noise;
  static constexpr std::string_view kKind = "process.noise";
  virtual ~Noise() = default;
  virtual std::unique_ptr<NoiseSource> source(std::uint64_t seed) const = 0;
};

}  // namespace gradatim::process
