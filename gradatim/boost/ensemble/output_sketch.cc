#include "gradatim/boost/ensemble/output_sketch.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradatim/boost/statistics.h"
#include "gradatim/core/parallel.h"
#include "gradatim/core/philox.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::boost {
namespace {

constexpr int kManyOutputs = 64;  // beyond, splits are searched on a sketch
constexpr int kSketchOutputs = 16;
constexpr std::int64_t kBlock = 512;  // rows whose combinations stay in the first cache

// Zero where it is not finite, which the quantisation of the output refuses.
double weighted(const SketchInput& input, int output, std::int64_t row) {
  double g = input.g[output * input.rows + row];
  if (!input.weight.empty()) g *= double{input.weight[row]};
  return std::isfinite(g) ? g : 0.0;
}

}  // namespace

int SketchConfig::outputs_of(int all) const {
  if (outputs < 0) return all > kManyOutputs ? kSketchOutputs : all;
  return outputs == 0 ? all : std::min(outputs, all);
}

void OutputSketch::make(const SketchInput& input, std::uint64_t seed, std::uint32_t round) {
  rows_ = static_cast<std::size_t>(input.rows);
  g_.resize(rows_ * outputs_);
  if (config_.method == SketchMethod::random_projection) {
    project(input, seed, round);
  } else {
    copy(input, choose(input, seed, round));
  }
}

void OutputSketch::project(const SketchInput& input, std::uint64_t seed, std::uint32_t round) {
  const Philox random(seed, Stream::sketch, round);
  std::vector<std::uint64_t> signs;  // of each output, a bit a combination
  for (int i = 0; i < input.outputs; ++i) signs.push_back(random.bits(i));
  const auto factor = static_cast<float>(1.0 / std::sqrt(static_cast<double>(outputs_)));
  shared_h_ = true;
  h_.assign(rows_, 1.0F);
  parallel_for(input.rows, kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (int j = 0; j < outputs_; ++j)
      std::fill_n(g_.data() + j * rows_ + begin, end - begin, 0.0F);
    for (int i = 0; i < input.outputs; ++i) {
      const float* from = input.g.data() + i * input.rows + begin;
      for (int j = 0; j < outputs_; ++j) {
        const float term = (signs[i] >> j & 1U) != 0 ? factor : -factor;
        float* to = g_.data() + j * rows_ + begin;
        for (std::int64_t r = 0; r < end - begin; ++r) to[r] += term * from[r];
      }
    }
    if (input.h.empty()) return;
    double mean[kBlock] = {};
    for (int i = 0; i < input.outputs; ++i) {
      const float* from = input.h.data() + i * input.rows + begin;
      for (std::int64_t r = 0; r < end - begin; ++r) mean[r] += double{from[r]};
    }
    for (std::int64_t r = 0; r < end - begin; ++r) {
      h_[begin + r] = static_cast<float>(mean[r] / input.outputs);
    }
  });
}

std::vector<OutputSketch::Term> OutputSketch::choose(const SketchInput& input, std::uint64_t seed,
                                                     std::uint32_t round) const {
  const std::vector<double> squares = sums_of_squares(input);
  std::vector<Term> terms;
  if (config_.method == SketchMethod::top_outputs) {
    std::vector<int> order(squares.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return squares[a] > squares[b]; });
    for (int j = 0; j < outputs_; ++j) terms.push_back({order[j], 1.0F});
    return terms;
  }
  std::vector<double> below(squares.size());
  std::partial_sum(squares.begin(), squares.end(), below.begin());
  const Philox random(seed, Stream::sketch, round);
  for (int j = 0; j < outputs_; ++j) {
    const double at = random.uniform(j) * below.back();
    const auto found = std::upper_bound(below.begin(), below.end(), at);
    const auto i = static_cast<int>(std::min(found, below.end() - 1) - below.begin());
    const double share = below.back() > 0.0 ? squares[i] / below.back() : 1.0;
    terms.push_back({i, static_cast<float>(1.0 / std::sqrt(outputs_ * share))});
  }
  return terms;
}

void OutputSketch::copy(const SketchInput& input, std::span<const Term> terms) {
  shared_h_ = input.h.empty();
  h_.assign(rows_ * (shared_h_ ? 1 : outputs_), 1.0F);
  parallel_for(input.rows, kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (int j = 0; j < outputs_; ++j) {
      const auto& [output, factor] = terms[j];
      const std::int64_t first = output * input.rows;
      for (std::int64_t row = begin; row < end; ++row) {
        g_[j * rows_ + row] = factor * input.g[first + row];
        if (!shared_h_) h_[j * rows_ + row] = input.h[first + row];
      }
    }
  });
}

std::vector<double> sums_of_squares(const SketchInput& input) {
  std::vector<double> most(input.outputs);
  parallel_tasks(input.outputs, [&](std::int64_t i) {
    for (std::int64_t row = 0; row < input.rows; ++row) {
      most[i] = std::max(most[i], std::abs(weighted(input, static_cast<int>(i), row)));
    }
  });
  const double largest =
      dist::maximum(*input.shard.group, *std::max_element(most.begin(), most.end()));
  const double scale = largest > 0.0 ? std::ldexp(1.0, 15 - ceil_log2(largest)) : 1.0;
  std::vector<std::int64_t> sums(input.outputs);
  parallel_tasks(input.outputs, [&](std::int64_t i) {
    std::int64_t sum = 0;
    for (std::int64_t row = 0; row < input.rows; ++row) {
      const auto g = static_cast<std::int64_t>(weighted(input, static_cast<int>(i), row) * scale);
      sum += g * g;
    }
    sums[i] = sum;
  });
  input.shard.group->all_reduce(std::span(sums), dist::Reduction::sum);
  return {sums.begin(), sums.end()};
}

}  // namespace gradatim::boost
