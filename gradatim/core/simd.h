// Which vector instructions run: chosen at run time by Highway, the best that the processor has.
//
// Every target computes the same bits (IEEE + - * / sqrt only, no contraction), so this is about
// speed alone. GRADATIM_SIMD=portable|avx2|avx512 in the environment lowers the choice.
#pragma once

#include <string>

namespace gradatim {

enum class Simd { portable, avx2, avx512 };

/// Lowers the choice for the whole process; above what the processor has, it has no effect.
void limit_simd(Simd most);
/// "portable", "avx2" or "avx512": what runs.
std::string simd_name();

}  // namespace gradatim
