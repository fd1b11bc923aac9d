// Quantizer, Autoencoder, CodePrior: what a model with discrete codes is made of, chosen by name.
// Settings alone; what computes is made of them by libgradatim_neural (quantize/vector_quantizer.h,
// quantize/code_net.h, quantize/prior_net.h).
#pragma once

#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include "gradatim/api/registry.h"
#include "gradatim/neural/maker.h"
#include "gradatim/neural/training.h"

namespace gradatim::neural {

/// Vectors to codes and back; maker() names a MakeQuantizer.
class Quantizer : public Maker {
 public:
  using Interface = Quantizer;
  static constexpr std::string_view kKind = "neural.quantizer";
};

/// Encoder and decoder around them; maker() names a MakeCodeNet.
class Autoencoder : public Maker {
 public:
  using Interface = Autoencoder;
  static constexpr std::string_view kKind = "neural.autoencoder";
};

/// The distribution of codes; maker() names a MakePriorNet.
class CodePrior : public Maker {
 public:
  using Interface = CodePrior;
  static constexpr std::string_view kKind = "neural.code_prior";
  virtual const Training& training() const = 0;
};

/// A prior with one part, its training.
template <class Config>
class PriorBy final : public MadeBy<CodePrior, Config> {
 public:
  PriorBy(const Config& config, std::span<const api::Made> parts)
      : MadeBy<CodePrior, Config>(config),
        training_(std::static_pointer_cast<const Training>(parts[0])) {}
  const Training& training() const override { return *training_; }

 private:
  std::shared_ptr<const Training> training_;
};

/// The codes of a sample: levels one behind the other, the coarsest first; of a level its places
/// row by row, and of a place its books one behind the other.
struct CodeShape {
  struct Level {
    std::int64_t height = 1, width = 1;
    std::int64_t places() const { return height * width; }
  };
  std::vector<Level> levels;
  std::vector<std::int64_t> sizes;  // codes of each book of a place, the same at all levels
  std::int64_t classes = 0;         // labels 0 .. classes - 1; none where 0
  std::uint64_t seed = 0;           // of the initial values

  std::int64_t books() const { return static_cast<std::int64_t>(sizes.size()); }
  std::int64_t places() const {
    return std::accumulate(levels.begin(), levels.end(), std::int64_t{0},
                           [](std::int64_t sum, const Level& each) { return sum + each.places(); });
  }
  std::int64_t length() const { return places() * books(); }
  /// How many codes there are at place k of the length.
  std::int64_t size_at(std::int64_t k) const {
    return sizes[static_cast<std::size_t>(k % books())];
  }
};

}  // namespace gradatim::neural
