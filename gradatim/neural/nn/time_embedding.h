// The time as sines and cosines of falling frequencies (Vaswani et al. 2017; Ho et al. 2020).
#pragma once

#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

struct TimeEmbedding {
  double frequency_shift = 0;  // frequencies exp(-ln(10000) i / (half - shift))
  bool cosines_first = true;
};

/// [rows] -> [rows, width]; width is even.
Tensor time_embedding(const Tensor& t, std::int64_t width, const TimeEmbedding& how = {});

}  // namespace gradatim::neural
