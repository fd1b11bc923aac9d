#include "gradatim/neural/quantize/draw_codes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/core/philox.h"
#include "gradatim/neural/nn/kernel/lanes.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

constexpr double kColdest = 1e-30;  // below, its reciprocal would be no number

// Which codes are kept by top_k, the likeliest first.
std::vector<std::size_t> likeliest(std::span<const float> logits, std::int64_t top_k) {
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::size_t kept = top_k == 0 ? order.size() : std::min(order.size(), to_size(top_k));
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(kept);
  std::partial_sort(order.begin(), middle, order.end(), [&](std::size_t a, std::size_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  });
  order.resize(kept);
  return order;
}

// The first of them that reach the share top_p of all.
void keep_share(std::span<const float> weights, double top_p, std::vector<std::size_t>& order) {
  double all = 0.0, sum = 0.0;
  for (const std::size_t code : order) all += double{weights[code]};
  std::size_t kept = 0;
  while (kept < order.size() && (kept == 0 || sum < top_p * all)) {
    sum += double{weights[order[kept++]]};
  }
  order.resize(kept);
}

// The first code at which the sum passes `uniform` of the whole.
std::int64_t draw_of(std::span<const float> weights, double uniform) {
  double all = 0.0, sum = 0.0;
  for (const float weight : weights) all += double{weight};
  std::int64_t last = 0;
  for (std::int64_t code = 0; code < std::ssize(weights); ++code) {
    const auto weight = double{weights[to_size(code)]};
    if (weight == 0.0) continue;
    sum += weight;
    last = code;
    if (sum > uniform * all) break;
  }
  return last;
}

}  // namespace

void check_draw(const CodeDraw& draw) {
  GRADATIM_CHECK(draw.temperature >= 0.0 && std::isfinite(draw.temperature), UsageError, 1158,
                 "codes are drawn at a temperature of 0 (the likeliest) or above; it is {}",
                 draw.temperature);
  GRADATIM_CHECK(draw.top_k >= 0, UsageError, 1158,
                 "top_k is how many of the likeliest codes are kept, 0 for all; it is {}",
                 draw.top_k);
  GRADATIM_CHECK(draw.top_p > 0.0 && draw.top_p <= 1.0, UsageError, 1158,
                 "top_p is the probability that the kept codes reach together, above 0 and at "
                 "most 1; it is {}",
                 draw.top_p);
}

std::int64_t draw_code(std::span<float> logits, const CodeDraw& draw, double uniform) {
  const auto best = std::ranges::max_element(logits);
  if (draw.temperature < kColdest) return best - logits.begin();
  const bool cut = draw.top_k > 0 || draw.top_p < 1.0;
  std::vector<std::size_t> order;
  if (cut) order = likeliest(logits, draw.top_k);
  kernel::exponentials(logits.data(), std::ssize(logits), *best,
                       static_cast<float>(1.0 / draw.temperature));
  if (cut) {
    if (draw.top_p < 1.0) keep_share(logits, draw.top_p, order);
    std::vector<float> kept(logits.size());
    for (const std::size_t code : order) kept[code] = logits[code];
    return draw_of(kept, uniform);
  }
  return draw_of(logits, uniform);
}

LaneDraws::LaneDraws(const CodeDraw& draw, const CodeShape& shape, std::int64_t* codes)
    : draw_(draw), shape_(shape), codes_(codes) {}

void LaneDraws::operator()(const LaneBlock& block, std::int64_t k, const float* logits) const {
  const Philox uniform(draw_.seed, Stream::codes);
  const std::int64_t size = shape_.size_at(k), length = shape_.length();
  LaneRoom rows(block.lanes * size);
  kernel::transpose(size, block.lanes, {logits, block.lanes}, {rows, size});
  for (std::int64_t j = 0; j < block.rows; ++j) {
    const std::int64_t row = block.first + j;
    const auto index = static_cast<std::uint64_t>((draw_.first_row + row) * length + k);
    codes_[row * length + k] =
        draw_code({rows + j * size, to_size(size)}, draw_, uniform.uniform(index));
  }
}

Tensor draw_codes(Tensor logits, const CodeDraw& draw, const Tensor& uniform) {
  check_draw(draw);
  logits = logits.to(at::kCPU, at::kFloat).contiguous();
  const Tensor numbers = uniform.to(at::kCPU, at::kDouble).contiguous();
  const std::int64_t rows = logits.size(0), size = logits.size(1);
  const Tensor codes = at::empty({rows}, at::kLong);
  for (std::int64_t row = 0; row < rows; ++row) {
    codes.data_ptr<std::int64_t>()[row] =
        draw_code({logits.data_ptr<float>() + row * size, to_size(size)}, draw,
                  numbers.data_ptr<double>()[row]);
  }
  return codes;
}

}  // namespace gradatim::neural
