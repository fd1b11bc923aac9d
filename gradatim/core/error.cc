#include "gradatim/core/error.h"

#include <fmt/format.h>

#include <algorithm>

namespace gradatim {
namespace {

// One error is one line of plain characters, whatever the names inside it hold: no line breaks, no
// escape sequences for the terminal, no zero bytes that would cut what() short.
std::string one_line(std::string text) {
  auto control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  std::replace_if(text.begin(), text.end(), control, ' ');
  return text;
}

}  // namespace

Error::Error(int code, const std::string& message)
    : std::runtime_error(fmt::format("{} (GRD-{})", one_line(message), code)),
      code_(code),
      message_(one_line(message)) {}

void internal::assertion_failed(const char* condition, const char* file, int line) {
  throw std::logic_error(fmt::format("{}:{}: assertion failed: {}", file, line, condition));
}

}  // namespace gradatim
