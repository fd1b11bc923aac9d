// Configs of the quantisers whose codes stand for vectors.
#pragma once

#include "gradatim/neural/quantizer/codebook.h"

namespace gradatim::neural {

struct NearestConfig {
  int codes = 512;
  double commitment = 0.25;
  bool normalise = false;
  int start_iterations = 10;

  static constexpr const char* kMaker = "gradatim_make_nearest";
};

struct MovingAverageConfig {
  int codes = 512;
  double commitment = 0.25;
  bool normalise = false;
  int start_iterations = 10;
  double decay = 0.99;
  double epsilon = 1e-5;
  double restart_below = 0.2;

  static constexpr const char* kMaker = "gradatim_make_moving_average";
};

/// How several books make a vector: each a part of it, or each what those before have left over.
enum class Together { parts, rests };

template <Together kTogether>
struct BooksConfig {
  int books = 4;
  int codes = 256;
  bool learned = false;
  double commitment = 0.25;
  bool normalise = false;
  int start_iterations = 10;
  double decay = 0.99;
  double epsilon = 1e-5;
  double restart_below = 0.2;

  static constexpr const char* kMaker = kTogether == Together::parts
                                            ? "gradatim_make_product_quantizer"
                                            : "gradatim_make_residual_quantizer";
};
using ProductQuantizerConfig = BooksConfig<Together::parts>;
using ResidualQuantizerConfig = BooksConfig<Together::rests>;

}  // namespace gradatim::neural
