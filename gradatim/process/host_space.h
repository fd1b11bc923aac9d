// HostSpace: states in memory, float32 for samples, float64 for laws.
//
// A combination's coefficients are float64 until they meet the states; sums then run in the type of
// the states and in the order of the terms, so a result does not depend on how elements fall into
// vectors, chunks or threads.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "gradatim/process/noise.h"
#include "gradatim/process/space.h"

namespace gradatim::process {

template <class T>
class HostSpace final : public Space {
 public:
  /// `first_row` is the place of row 0 in the whole sampling: noise is drawn by it.
  explicit HostSpace(std::shared_ptr<NoiseSource> noise = nullptr, std::int64_t first_row = 0);
  ~HostSpace() override;

  using Space::combine;
  using Space::reduce;
  bool combine(std::span<const Form> forms, std::span<Vec> out) override;
  void reduce(Reduction kind, const Vec& x, const Vec& y, double level,
              std::span<double> out) override;
  void error_rms(const Vec& e, const Vec& x, const Vec& y, double atol, double rtol,
                 std::span<double> out) override;
  Vec clamp(const Vec& x, std::span<const double> bound) override;
  Vec exp(const Vec& x) override;
  Vec take(const Vec& x, std::span<const std::int64_t> rows) override;
  Vec put(const Vec& x, std::span<const std::int64_t> rows, const Vec& values) override;
  Vec from(std::span<const double> values, std::int64_t rows, std::int64_t dims) override;
  void copy_out(const Vec& x, std::span<double> out) override;
  Vec normal(Draw draw, std::int64_t rows, std::int64_t dims) override;

  /// Memory for a new state, to be written before anyone else sees it.
  Vec make(std::int64_t rows, std::int64_t dims);
  /// A state over memory that somebody else keeps alive and unchanged.
  static Vec borrow(const T* data, std::int64_t rows, std::int64_t dims,
                    std::shared_ptr<const void> owner = nullptr);
  static const T* data(const Vec& x);
  static T* writable(const Vec& x);

  /// How often memory was asked for, for the test that it stops.
  std::int64_t allocations() const;

  class Block;
  struct Pool;

 private:
  std::shared_ptr<NoiseSource> noise_;
  std::int64_t first_row_;
  std::shared_ptr<Pool> pool_;
};

extern template class HostSpace<float>;
extern template class HostSpace<double>;

}  // namespace gradatim::process
