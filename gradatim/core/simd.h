// Which vector instructions run: chosen at run time by Highway, the best that the processor has.
//
// Every target computes the same bits (IEEE + - * / sqrt only, no contraction), so this is about
// speed alone. GRADATIM_SIMD=portable|avx2|avx512 in the environment lowers the choice.
#pragma once

#include <cstdint>
#include <string>

namespace gradatim {

enum class Simd { portable, avx2, avx512 };

/// UsageError GRD-1005 where GRADATIM_SIMD is none of the three. For the front ends.
void check_simd_variable();

/// Lowers the choice of the whole process until it goes; above what runs, it has no effect. For
/// tests: nothing else may run when it comes or goes.
class SimdLimit {
 public:
  explicit SimdLimit(Simd most);
  ~SimdLimit();
  SimdLimit(const SimdLimit&) = delete;
  SimdLimit& operator=(const SimdLimit&) = delete;

 private:
  std::int64_t before_;  // targets that were switched off
};

/// "portable", "avx2" or "avx512": what runs.
std::string simd_name();

}  // namespace gradatim
