#include "gradatim/neural/nn/precision.h"

#include <ATen/autocast_mode.h>
#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/core/simd.h"

namespace gradatim::neural {
namespace {

// Processors with AMX have these instructions, too.
bool has_avx512_bf16() {
#ifdef __x86_64__
  return simd_name() == "avx512" && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

}  // namespace

void check_bfloat16(at::Device device) {
  GRADATIM_CHECK(device.is_cpu(), UsageError, 1180,
                 "precision bfloat16 is for processors, and --device is {}; leave one of them out",
                 device.str());
  GRADATIM_CHECK(has_avx512_bf16(), UsageError, 1180,
                 "precision bfloat16 needs the instructions AVX-512 BF16, without which it would "
                 "be slower than float32; this processor lacks them, or GRADATIM_SIMD rules them "
                 "out; leave --precision out");
}

Bfloat16::Bfloat16(bool on) : on_(on && !is_on()) {
  if (!on_) return;
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, true);
}

Bfloat16::~Bfloat16() {
  if (!on_) return;
  at::autocast::set_autocast_enabled(at::kCPU, false);
  at::autocast::clear_cache();  // of parameters, which the optimiser is about to change
}

bool Bfloat16::is_on() { return at::autocast::is_autocast_enabled(at::kCPU); }

}  // namespace gradatim::neural
