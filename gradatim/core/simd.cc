#include "gradatim/core/simd.h"

#include <fmt/format.h>
#include <hwy/highway.h>

#include <atomic>
#include <cstdlib>
#include <string_view>

#include "gradatim/core/error.h"

namespace gradatim {
namespace {

constexpr const char* kVariable = "GRADATIM_SIMD";

// Targets that are switched off.
std::atomic<std::int64_t> disabled{0};

// Highway's bits grow towards older targets: everything below the wanted bit is newer.
std::int64_t newer_than(Simd most) {
  if (most == Simd::avx512) return HWY_AVX3 - 1;
  return most == Simd::avx2 ? HWY_AVX2 - 1 : 2 * HWY_SSSE3 - 1;
}

// Highway forgets what it was told before, so it is told everything.
void disable(std::int64_t targets) {
  disabled = targets;
  hwy::DisableTargets(targets);
  hwy::GetChosenTarget().DeInit();
}

// Runs once when the library is loaded, before any kernel has chosen its target. It cannot throw;
// check_simd_variable() does, at the edges.
__attribute__((constructor)) void read_environment() {
  const char* name = std::getenv(kVariable);
  if (name == nullptr) return;
  if (std::string_view(name) == "portable") disable(newer_than(Simd::portable));
  if (std::string_view(name) == "avx2") disable(newer_than(Simd::avx2));
}

}  // namespace

void check_simd_variable() {
  const char* name = std::getenv(kVariable);
  if (name == nullptr) return;
  const std::string_view value(name);
  GRADATIM_CHECK(value.empty() || value == "portable" || value == "avx2" || value == "avx512",
                 UsageError, 1005,
                 "the environment variable {} must be one of portable, avx2, avx512; got '{}'",
                 kVariable, value);
}

SimdLimit::SimdLimit(Simd most) : before_(disabled) { disable(before_ | newer_than(most)); }
SimdLimit::~SimdLimit() { disable(before_); }

std::string simd_name() {
  const std::int64_t targets = hwy::SupportedTargets();
  if ((targets & (HWY_AVX3 | HWY_AVX3_DL)) != 0) return "avx512";
  return (targets & HWY_AVX2) != 0 ? "avx2" : "portable";
}

}  // namespace gradatim
