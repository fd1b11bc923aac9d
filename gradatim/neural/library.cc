#include "gradatim/neural/library.h"

#include <fmt/format.h>

#include <cstdlib>

#include "gradatim/core/error.h"
#include "gradatim/core/shared_library.h"

namespace gradatim::neural {
namespace {

// Threads of GNU OpenMP, which torch computes with, wait for each other in a loop for about a
// millisecond. Where another program wants the processors too, that costs several times the work
// itself, and a shorter wait less. Read when the library is loaded: a program that has imported
// torch before keeps its own.
void wait_briefly() {
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) ::setenv("GOMP_SPINCOUNT", "2000", 0);
}

// Of lost connections torch tells with stack traces; we tell of them in one line.
void log_nothing() { ::setenv("TORCH_CPP_LOG_LEVEL", "FATAL", 0); }

SharedLibrary opened(const char* file_name) {
  wait_briefly();
  log_nothing();
  return {file_name, "GRADATIM_NEURAL_LIBRARY"};
}

}  // namespace

void* neural_symbol(const char* name) {
  constexpr const char* kFileName = "libgradatim_neural.so";
  static const SharedLibrary library = opened(kFileName);
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
