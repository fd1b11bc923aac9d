// What a training begins with, in one line for whoever watches it.
#pragma once

#include "gradatim/data/model.h"
#include "gradatim/neural/nn/parameters.h"

namespace gradatim::neural {

/// "898 images of 1 x 8 x 8, 10 labels; neural.network.mlp of 2,365,504 parameters".
std::string start_text(const data::Samples& samples, const api::Settings& network,
                       const Parameters& parameters);
/// Tells it to the request's observer, where that is a StartObserver.
void tell_start(const data::FitRequest& request, const api::Settings& network,
                const Parameters& parameters);

}  // namespace gradatim::neural
