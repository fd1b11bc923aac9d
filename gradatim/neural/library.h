// libgradatim_neural: networks and all that needs torch, in a shared object of its own that is
// opened when a network is asked for. Names, settings and prose of networks are in libgradatim, so
// that they are listed, described and checked without torch.
#pragma once

#include <string>

namespace gradatim::neural {

/// The function of libgradatim_neural with this name. UsageError GRD-1160 where the library cannot
/// be opened, with what to do.
void* neural_symbol(const char* name);

template <class F>
F* neural_function(const char* name) {
  return reinterpret_cast<F*>(neural_symbol(name));
}

}  // namespace gradatim::neural
