// Whether weights are those of a network: each parameter there, of its shape, and nothing else.
#pragma once

#include "gradatim/neural/checkpoint/weights.h"
#include "gradatim/neural/nn/parameters.h"

namespace gradatim::neural {

/// Of parameters that may still be without memory. One error tells all: how many arrays are of
/// another shape (ModelError GRD-3003), missing or unknown (GRD-3064), and some of each by name,
/// with the unknown one that is called most like a missing one. A convolution of single pixels
/// stands for its matrix.
void check_weights(const Parameters& parameters, const Weights& weights);

/// check_weights(), then packs the parameters and fills them. GRD-3061 where a number is not
/// finite.
void read_weights(const Weights& weights, Parameters& parameters, at::Device device = at::kCPU);

}  // namespace gradatim::neural
