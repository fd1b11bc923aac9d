#include "gradatim/neural/library.h"

#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/core/shared_library.h"

namespace gradatim::neural {

void* neural_symbol(const char* name) {
  constexpr const char* kFileName = "libgradatim_neural.so";
  static const SharedLibrary library(kFileName, "GRADATIM_NEURAL_LIBRARY");
  GRADATIM_CHECK(library.missing().empty(), UsageError, 1160,
                 "networks need {}, which cannot be opened ({}); run make neural, or set "
                 "GRADATIM_NEURAL_LIBRARY",
                 kFileName, library.missing());
  void* found = library.find(name);
  GRADATIM_CHECK(found != nullptr, UsageError, 1160,
                 "{} is of another version, it has no {}; build it again", kFileName, name);
  return found;
}

}  // namespace gradatim::neural
