// Philox 4x32-10: a random draw is a pure function of (seed, stream, index).
//
// Salmon, Moraes, Dror and Shaw (2011), Parallel random numbers: as easy as 1, 2, 3. Streams are
// named by purpose, so that a new consumer never shifts the draws of another, and any thread may
// draw any index. Not a generator with a state, and not cryptographic.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace gradatim {

using PhiloxBlock = std::array<std::uint32_t, 4>;

/// Ten rounds of Philox over a 128-bit counter and a 64-bit key.
constexpr PhiloxBlock philox(PhiloxBlock counter, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53U} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57U} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key0,
               static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key1,
               static_cast<std::uint32_t>(product0)};
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  return counter;
}

/// What a draw is for. Numbers are part of the reproducibility promise: append, never renumber.
enum class Stream : std::uint32_t {
  rounding = 1,        // stochastic rounding of gradients: (round, output), row
  rows = 2,            // row sampling: round, row
  columns = 3,         // column sampling: round, feature
  quantiles = 4,       // rows that the bin boundaries are read from: 0, row
  split = 5,           // validation split and folds: 0, row
  resample = 6,        // AdaBoost's draw by D_m: (round, attempt), draw
  init = 7,            // initial values: parameter, element
  noise = 8,           // noise of generative models: step, element
  permutation = 9,     // permutation importance: feature, row
  level_columns = 20,  // column sampling by level: (round, output), depth
  node_columns = 21,   // column sampling by node: (round, output), place in the tree
  thresholds = 22,     // random thresholds: (round, output), place in the tree; then feature
  dropout = 30,        // DART: round, dropped round
  search = 31,         // settings: trial, setting
  sketch = 41,         // combinations of outputs: round, output
  target_blocks = 40,  // order of target statistics: 0, row among those that are learned from
  prior = 50,          // states that sampling starts from: 0, element
  langevin = 51,       // Langevin corrections: step, element
  restart = 52,        // noise of a grid that goes up again: step, element
  probe = 53,          // probes of a trace: probe, element
  known = 54,          // noise of the known part of a sample: step, element
  component = 55,      // components of an oracle's data: 0, row
  data = 56,           // an oracle's data: 0, element
  projection = 57,     // directions of sliced distances: 0, element
  coupling = 60,       // partners drawn from a transport plan: step, noise row
  order = 70,          // order of samples in training: epoch, place
  train_noise = 71,    // noise of training: step, element
  train_time = 72,     // times of training: step, row
  train_level = 73,    // the same, normal: step, row
  drop_label = 74,     // labels that training leaves out: step, row
  flip = 75,           // images that training mirrors: step, row
  source = 76,         // order of the source's samples: epoch, place
  dropout_units = 77,  // units that training leaves out: step, layer and element
  codes = 78,          // codes drawn from a prior: 0, row and place
  code_restart = 79,   // vectors that dead codes are moved to: step, code
  gumbel = 80,         // noise of codes in training: step, element
  caption = 81,        // phrasings of captions in training: step, row
  posterior = 82,      // noise of an autoencoder's latents: step, element
  code_start = 83,     // where k-means starts from: book, code
};

/// The draws of one purpose. Cheap to copy; `minor` is a round or a step, `index` a row.
class Philox {
 public:
  constexpr Philox(std::uint64_t seed, Stream stream, std::uint32_t minor = 0)
      : seed_(seed), stream_(static_cast<std::uint32_t>(stream)), minor_(minor) {}

  /// 128 random bits.
  constexpr PhiloxBlock block(std::uint64_t index) const {
    return philox({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                   minor_, stream_},
                  static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32));
  }
  /// 64 random bits.
  constexpr std::uint64_t bits(std::uint64_t index) const {
    const PhiloxBlock b = block(index);
    return (std::uint64_t{b[1]} << 32) | b[0];
  }
  /// Uniform in [0, 1), a multiple of 2^-53.
  constexpr double uniform(std::uint64_t index) const {
    return static_cast<double>(bits(index) >> 11) * 0x1p-53;
  }
  /// Uniform integer in [0, bound), bound >= 1, by a 64-bit multiply (bias below 2^-32).
  constexpr std::uint32_t below(std::uint32_t bound, std::uint64_t index) const {
    return static_cast<std::uint32_t>((std::uint64_t{block(index)[0]} * bound) >> 32);
  }

 private:
  std::uint64_t seed_;
  std::uint32_t stream_;
  std::uint32_t minor_;
};

}  // namespace gradatim
