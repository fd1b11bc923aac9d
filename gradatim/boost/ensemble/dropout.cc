#include "gradatim/boost/ensemble/dropout.h"

#include <algorithm>

#include "gradatim/core/philox.h"

namespace gradatim::boost {
namespace {

// Draws of a round, by index.
constexpr std::uint64_t kSkip = 0;
constexpr std::uint64_t kOne = 1;
constexpr std::uint64_t kFirst = 2;

double sum_of(std::span<const double> weights) {
  double sum = 0.0;
  for (const double weight : weights) sum += weight;
  return sum;
}

std::int64_t pick_one(SampleType type, std::span<const double> weights, double u) {
  const auto last = static_cast<std::int64_t>(weights.size()) - 1;
  if (type == SampleType::uniform) {
    return std::min(last, static_cast<std::int64_t>(u * static_cast<double>(weights.size())));
  }
  double left = u * sum_of(weights);
  for (std::int64_t round = 0; round < last; ++round) {
    left -= weights[round];
    if (left < 0.0) return round;
  }
  return last;
}

}  // namespace

std::vector<std::int64_t> choose_drops(const DropoutConfig& config, std::span<const double> weights,
                                       std::uint64_t seed, std::int64_t round) {
  std::vector<std::int64_t> dropped;
  if (!config.on() || weights.empty()) return dropped;
  const Philox random(seed, Stream::dropout, static_cast<std::uint32_t>(round));
  if (random.uniform(kSkip) < config.skip_drop) return dropped;
  const auto rounds = static_cast<std::int64_t>(weights.size());
  const double mean = sum_of(weights) / static_cast<double>(rounds);
  for (std::int64_t r = 0; r < rounds; ++r) {
    const double share = config.sample_type == SampleType::weighted ? weights[r] / mean : 1.0;
    if (random.uniform(kFirst + r) < config.rate_drop * share) dropped.push_back(r);
  }
  if (dropped.empty() && config.one_drop) {
    dropped.push_back(pick_one(config.sample_type, weights, random.uniform(kOne)));
  }
  return dropped;
}

void reweigh(const DropoutConfig& config, double learning_rate,
             std::span<const std::int64_t> dropped, std::vector<double>& weights) {
  const auto k = static_cast<double>(dropped.size());
  if (dropped.empty()) {
    weights.push_back(1.0);
    return;
  }
  const bool tree = config.normalize_type == NormalizeType::tree;
  const double sum = (tree ? k : 1.0) + learning_rate;
  for (const std::int64_t round : dropped) weights[round] *= (tree ? k : 1.0) / sum;
  weights.push_back(1.0 / sum);
}

}  // namespace gradatim::boost
