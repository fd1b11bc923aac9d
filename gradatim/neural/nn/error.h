// What torch throws, as an error of one line.
#pragma once

#include <type_traits>

namespace gradatim::neural {

/// Rethrows the exception at hand: gradatim's as it is, torch's as NumericError GRD-4027 or, where
/// memory ran out, GRD-4028.
[[noreturn]] void rethrow();

/// Calls f at the edge of the library.
template <class F>
std::invoke_result_t<F> translated(const F& f) {
  try {
    return f();
  } catch (...) {
    rethrow();
  }
}

}  // namespace gradatim::neural
