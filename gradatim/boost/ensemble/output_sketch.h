// The few outputs that the splits of a tree for many outputs are searched on.
//
// A split's gain is a sum over all K outputs. On k combinations of them, with k much smaller,
//   g~_j = sum_i c_ji g_i,    h~_j = sum_i c_ji^2 h_i / sum_i c_ji^2,    j = 1 .. k
// a histogram has k lanes a cell and not K, and the leaves still take each output's own step.
//   random_projection: c_ji = +1/sqrt(k) or -1/sqrt(k), so that E sum_j G~_j^2 = sum_i G_i^2
//   top_outputs:       the k outputs with the largest sums of squares, c = 1
//   random_sampling:   k outputs, drawn with chances p_i in proportion to them, c = 1/sqrt(k p_i)
// Iosipoi and Vakhrushev (2022), SketchBoost: fast gradient boosted decision tree for multioutput
// problems. Terms are added in the order of outputs, and sums over rows are integers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/dist/shard.h"

namespace gradatim::boost {

enum class SketchMethod { random_projection, top_outputs, random_sampling };

struct SketchConfig {
  std::int32_t outputs = -1;  // 0: no sketch; -1: one where there are many outputs
  SketchMethod method = SketchMethod::random_projection;

  /// Outputs that splits are searched on, where there are `all`.
  int outputs_of(int all) const;
};

/// What a round's combinations are made from: [outputs][rows], and weights, all 1 if empty.
struct SketchInput {
  std::span<const float> g, h;  // h is empty where every hessian is 1
  std::span<const float> weight;
  std::int64_t rows = 0;
  int outputs = 1;
  dist::Shard shard = {};
};

class OutputSketch {
 public:
  OutputSketch(const SketchConfig& config, int outputs)
      : config_(config), outputs_(config.outputs_of(outputs)), on_(outputs_ < outputs) {}

  bool on() const { return on_; }
  int outputs() const { return outputs_; }
  /// The combinations of round `round`.
  void make(const SketchInput& input, std::uint64_t seed, std::uint32_t round);
  /// Of combination j.  // [rows]
  std::span<const float> g(int j) const { return row_of(g_, j); }
  std::span<const float> h(int j) const { return row_of(h_, shared_h_ ? 0 : j); }

 private:
  struct Term {
    int output = 0;
    float factor = 1.0F;
  };
  void project(const SketchInput& input, std::uint64_t seed, std::uint32_t round);
  std::vector<Term> choose(const SketchInput& input, std::uint64_t seed, std::uint32_t round) const;
  void copy(const SketchInput& input, std::span<const Term> terms);
  std::span<const float> row_of(const std::vector<float>& values, int j) const {
    return std::span(values).subspan(j * rows_, rows_);
  }

  SketchConfig config_;
  int outputs_;
  bool on_;
  bool shared_h_ = false;  // one hessian for all combinations
  std::size_t rows_ = 0;
  std::vector<float> g_, h_;
};

/// sum (w g)^2 of each output, in units that they share: exact integers of w g rounded to 15 bits.
std::vector<double> sums_of_squares(const SketchInput& input);

}  // namespace gradatim::boost
