// DART: rounds that are left out while the next one is fitted, and shrunk afterwards.
//
// With D the k rounds that were dropped and nu the learning rate, the new round fits the gradients
// at F - F_D. Then, by normalize_type:
//   tree    the dropped rounds' weights are multiplied by k / (k + nu), the new one gets 1 / (k +
//   nu) forest  both factors are 1 / (1 + nu)
// A round counts nu times its weight. Rashmi and Gilad-Bachrach (2015), DART: dropouts meet
// multiple additive regression trees; the variants and their names are XGBoost's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gradatim::boost {

enum class SampleType { uniform, weighted };
enum class NormalizeType { tree, forest };

struct DropoutConfig {
  double rate_drop = 0.0;
  double skip_drop = 0.0;
  bool one_drop = false;
  SampleType sample_type = SampleType::uniform;
  NormalizeType normalize_type = NormalizeType::tree;

  bool on() const { return rate_drop > 0.0 || one_drop; }
};

/// The rounds to leave out of round `round`, ascending; `weights` are those of the rounds before.
std::vector<std::int64_t> choose_drops(const DropoutConfig& config, std::span<const double> weights,
                                       std::uint64_t seed, std::int64_t round);

/// Shrinks the dropped rounds' weights and appends the new round's.
void reweigh(const DropoutConfig& config, double learning_rate,
             std::span<const std::int64_t> dropped, std::vector<double>& weights);

}  // namespace gradatim::boost
