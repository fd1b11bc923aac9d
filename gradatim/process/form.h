// Form: a linear combination of states and noise that nobody has computed yet.
//
// Predictions, guidance and solver steps are linear in the state and the field's output, so they
// are passed on as coefficients (float64) and meet in one pass over memory, Space::combine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "gradatim/core/philox.h"
#include "gradatim/process/vec.h"

namespace gradatim::process {

/// A draw of normal numbers, one an element: what it is for, and at which step.
struct Draw {
  Stream purpose = Stream::noise;
  std::uint32_t step = 0;
};

/// c * x, or c * rows[row] * x where the factor differs by row; `weight` multiplies elementwise.
/// `rows` is borrowed: it must live until the Form is computed.
struct Term {
  double c = 0.0;
  Vec x;
  std::span<const double> rows = {};
  Vec weight = {};
};

/// c * z with z from `draw`; `weight` multiplies elementwise where it is not empty.
struct NoiseTerm {
  double c = 0.0;
  Draw draw;
  Vec weight = {};
};

class Form {
 public:
  static constexpr std::size_t kMost = 24;

  Form() = default;
  /// The state itself.
  explicit Form(const Vec& x) { add(1.0, x); }

  /// Adds c * x; terms of the same Vec meet in one.
  void add(double c, const Vec& x);
  /// Adds c * rows[row] * x.
  void add(double c, const Vec& x, std::span<const double> rows);
  /// Adds c times every term of another form.
  void add(double c, const Form& other);
  void add(const Term& term);
  void add_noise(double c, Draw draw, const Vec& weight = {});
  void clear();

  std::span<const Term> terms() const { return {terms_.data(), size_}; }
  const NoiseTerm* noise() const { return noise_.c != 0.0 ? &noise_ : nullptr; }

 private:
  std::array<Term, kMost> terms_;
  std::size_t size_ = 0;
  NoiseTerm noise_;
};

}  // namespace gradatim::process
