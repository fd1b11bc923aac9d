#include "gradatim/boost/category/blocked_target.h"

#include <bit>
#include <cmath>

#include "gradatim/boost/statistics.h"
#include "gradatim/core/philox.h"

namespace gradatim::boost {
namespace {

// Rounds `numbers` to multiples of a power of two whose sum fits in an int64; gives that power.
double round_to_integers(std::span<const double> numbers, std::int64_t* out) {
  double most = 0.0;
  for (const double x : numbers) most = std::max(most, std::abs(x));
  if (most == 0.0) most = 1.0;
  const int exponent = 61 - std::bit_width(numbers.size()) - ceil_log2(most);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    out[i] = static_cast<std::int64_t>(std::nearbyint(std::ldexp(numbers[i], exponent)));
  }
  return std::ldexp(1.0, -exponent);
}

}  // namespace

std::vector<std::vector<float>> target_lanes(const Task& task, std::span<const float> label) {
  std::vector<std::vector<float>> lanes;
  if (!task.classification()) {
    const std::size_t rows = label.size() / static_cast<std::size_t>(task.targets);
    for (int k = 0; k < task.targets; ++k) {
      const auto own = label.subspan(k * rows, rows);
      lanes.emplace_back(own.begin(), own.end());
    }
    return lanes;
  }
  for (int k = task.class_count() == 2 ? 1 : 0; k < task.class_count(); ++k) {
    auto& lane = lanes.emplace_back();
    for (const float y : label) lane.push_back(y == static_cast<float>(k) ? 1.0F : 0.0F);
  }
  return lanes;
}

BlockedTarget block_target(std::span<const std::uint32_t> learned,
                           const std::vector<std::vector<float>>& lanes,
                           std::span<const float> weight, std::uint64_t seed) {
  BlockedTarget blocked;
  const Philox random(seed, Stream::target_blocks);
  std::array<std::vector<std::uint32_t>, BlockedTarget::kBlocks> blocks;
  for (std::size_t i = 0; i < learned.size(); ++i) {
    blocks[random.below(BlockedTarget::kBlocks, i)].push_back(learned[i]);
  }
  for (int b = 0; b < BlockedTarget::kBlocks; ++b) {
    blocked.rows.insert(blocked.rows.end(), blocks[b].begin(), blocks[b].end());
    blocked.first[b + 1] = blocked.size();
  }
  const std::size_t size = blocked.rows.size();
  std::vector<double> numbers(size, 1.0);
  for (std::size_t i = 0; i < size && !weight.empty(); ++i) numbers[i] = weight[blocked.rows[i]];
  const std::vector<double> weights = numbers;
  blocked.weight.resize(size);
  blocked.weight_unit = round_to_integers(weights, blocked.weight.data());
  blocked.lanes = static_cast<int>(lanes.size());
  blocked.target.resize(size * lanes.size());
  for (std::size_t k = 0; k < lanes.size(); ++k) {
    for (std::size_t i = 0; i < size; ++i) {
      numbers[i] = weights[i] * double{lanes[k][blocked.rows[i]]};
    }
    blocked.target_unit.push_back(round_to_integers(numbers, blocked.target.data() + k * size));
  }
  return blocked;
}

}  // namespace gradatim::boost
