#include "gradatim/neural/nn/error.h"

#include <fmt/format.h>

#include <new>
#include <string>

#include "gradatim/core/error.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {
namespace {

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

void rethrow() {
  try {
    throw;
  } catch (const c10::Error& error) {
    const std::string why = first_line(error.what_without_backtrace());
    const bool memory = why.find("can't allocate memory") != std::string::npos ||
                        why.find("out of memory") != std::string::npos;
    if (!memory) throw NumericError(4027, fmt::format("torch could not compute: {}", why));
    throw NumericError(
        4028,
        fmt::format("there is too little memory; take a smaller batch_size or image ({})", why));
  } catch (const std::bad_alloc&) {
    throw NumericError(4028, "there is too little memory; take a smaller batch_size or image");
  }
}

}  // namespace gradatim::neural
