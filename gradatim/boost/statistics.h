// Gradients as integers: what makes sums exact and models equal on any number of threads.
//
// Fine: with e = 30 - ceil(log2 max |w g|) over all rows, g32 = round-to-even(w g 2^e); the same
// for h >= 0. Node weights, leaves and bounds are sums of these in int64. Coarse (2^16 to 2^22
// rows; outside, histograms are wide): b = clamp(30 - ceil(log2 N), 8, 14) bits, c = (fine + u) >>
// (30 - b) with u uniform in [0, 2^(30-b)) from Philox(seed, round, output, row): unbiased, drawn
// once a round, N and row counted over all ranks. A histogram cell is then one int64, (g << 32) +
// h, and ranks candidate splits. A constant h = 1 without weights is the integer 1 in both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <new>
#include <span>
#include <vector>

#include "gradatim/dist/shard.h"

namespace gradatim::boost {

/// A row's fine gradient and hessian.
struct Fine {
  std::int32_t g = 0;
  std::int32_t h = 0;
};

/// The same in a few bits; a histogram cell of them is one int64, (g << 32) + h.
struct Coarse {
  std::int16_t g = 0;
  std::int16_t h = 0;
  bool operator==(const Coarse&) const = default;
};

/// What a round knows of a row; side by side, since rows of a node lie apart and cost a cache line
/// each.
struct RowStatistics {
  Fine fine;
  Coarse coarse;  // unset in wide mode
};

/// How lanes turn back into numbers: value = lane * unit.
struct Units {
  double g = 1.0;
  double h = 1.0;
};

/// One output's statistics of every row in one round.
struct Statistics {
  std::vector<RowStatistics> rows;
  Units fine_units;
  Units coarse_units;
  bool wide = true;  // histograms of two int64 with fine values
  bool constant_hessian = false;
  bool outliers = false;  // max |w g| > 2^(b-3) rms: the next round is wide
};

/// Begins at a cache line, so that a row of 64 bytes is one.
template <class T>
struct LineAllocator {
  using value_type = T;
  static constexpr std::align_val_t kLine{64};
  LineAllocator() = default;
  template <class U>
  explicit LineAllocator(const LineAllocator<U>& /*other*/) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), kLine)); }
  void deallocate(T* p, std::size_t /*n*/) { ::operator delete(p, kLine); }
  bool operator==(const LineAllocator&) const = default;
};
template <class T>
using LineVector = std::vector<T, LineAllocator<T>>;

/// The statistics of several outputs side by side, for trees with vectors in their leaves. Rows are
/// filled up with zeros to whole vectors of four lanes.
struct VectorStatistics {
  int outputs = 1;
  LineVector<Fine> fine;                        // [rows, fine_stride()]
  LineVector<Coarse> coarse;                    // [rows, coarse_stride()]; empty in wide mode
  std::vector<Units> fine_units, coarse_units;  // [outputs]
  bool wide = true;

  int fine_stride() const { return (outputs + 1) / 2 * 2; }
  int coarse_stride() const { return (outputs + 3) / 4 * 4; }
  /// Makes room; the outputs are then set one by one, all wide or all not.
  void resize(std::int64_t rows, int outputs, bool wide);
  void set(int output, const Statistics& statistics);
};

/// What a quantisation needs to know beyond the numbers.
struct QuantiseOptions {
  std::uint64_t seed = 0;
  std::uint32_t draw = 0;         // round * outputs + output
  bool force_wide = false;        // exact splits, high precision, or outliers in the last round
  bool constant_hessian = false;  // every h is 1
  dist::Shard shard = {};         // what the rows are of; scales are those of all ranks
};

/// Turns gradients [rows] into statistics; `h` is [rows], or empty: all 1, and so is `weight`.
/// NumericError GRD-4001 where a gradient or hessian is not finite, or a hessian is negative.
void quantise(std::span<const float> g, std::span<const float> h, std::span<const float> weight,
              const QuantiseOptions& options, Statistics& out);

/// Fills in the gradients of rows [begin, end); called by any thread.
using GradientMaker = std::function<void(std::int64_t begin, std::int64_t end, float* g, float* h)>;
/// The same of gradients that nobody else needs: until all are known, and so their scale, those of
/// a block wait in the place of its statistics.
void quantise_made(std::int64_t rows, const GradientMaker& make, std::span<const float> weight,
                   const QuantiseOptions& options, Statistics& out);

/// The number of bits of a coarse lane for so many rows.
int coarse_bits(std::int64_t rows);
/// ceil(log2 x) of a positive finite number.
int ceil_log2(double x);

}  // namespace gradatim::boost
