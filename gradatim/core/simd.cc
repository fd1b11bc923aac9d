#include "gradatim/core/simd.h"

#include <hwy/highway.h>

#include <atomic>
#include <cstdlib>
#include <string_view>

namespace gradatim {
namespace {

// Runs once when the library is loaded, before any kernel has chosen its target.
__attribute__((constructor)) void read_environment() {
  const char* name = std::getenv("GRADATIM_SIMD");
  if (name == nullptr) return;
  if (std::string_view(name) == "portable") limit_simd(Simd::portable);
  if (std::string_view(name) == "avx2") limit_simd(Simd::avx2);
}

}  // namespace

void limit_simd(Simd most) {
  // Highway's bits grow towards older targets: everything below the wanted bit is newer.
  const std::int64_t newer = most == Simd::avx512 ? HWY_AVX3 - 1
                             : most == Simd::avx2 ? HWY_AVX2 - 1
                                                  : 2 * HWY_SSSE3 - 1;
  // DisableTargets forgets what it was told before, and a choice is only ever lowered.
  static std::atomic<std::int64_t> disabled{0};
  hwy::DisableTargets(disabled.fetch_or(newer) | newer);
  hwy::GetChosenTarget().DeInit();
}

std::string simd_name() {
  const std::int64_t targets = hwy::SupportedTargets();
  if ((targets & (HWY_AVX3 | HWY_AVX3_DL)) != 0) return "avx512";
  return (targets & HWY_AVX2) != 0 ? "avx2" : "portable";
}

}  // namespace gradatim
