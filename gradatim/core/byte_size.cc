#include "gradatim/core/byte_size.h"

#include <fmt/format.h>

#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim {
namespace {

constexpr std::string_view kPrefixes = "kMGT";

// Of "", "B", "kB", "GiB", "G": the bytes that it counts; 0 for another word.
double unit_of(std::string_view unit) {
  if (unit.ends_with('B') || unit.ends_with('b')) unit.remove_suffix(1);
  if (unit.empty()) return 1.0;
  const char first = unit.front() == 'K' ? 'k' : unit.front();
  const auto power = kPrefixes.find(first);
  const std::string_view rest = unit.substr(1);
  if (power == std::string_view::npos || !(rest.empty() || rest == "i")) return 0.0;
  return std::pow(rest.empty() ? 1000.0 : 1024.0, static_cast<double>(power + 1));
}

}  // namespace

std::int64_t parse_byte_size(std::string_view text) {
  const auto end = text.find_last_of("0123456789.");
  const std::size_t digits = end == std::string_view::npos ? 0 : end + 1;
  const auto number = parse_number(trim(text.substr(0, digits)));
  const double bytes = number.value_or(0.0) * unit_of(trim(text.substr(digits)));
  constexpr double kMost = 1e18;
  GRADATIM_CHECK(bytes >= 1.0 && bytes <= kMost, UsageError, 1226,
                 "'{}' is no size of memory; write one such as 4GB or 512MiB", text);
  return static_cast<std::int64_t>(bytes);
}

std::string byte_size_text(std::int64_t bytes) {
  auto size = static_cast<double>(bytes);
  std::size_t power = 0;
  for (; size >= 999.5 && power < kPrefixes.size(); ++power) size /= 1000.0;
  if (power == 0) return fmt::format("{} B", bytes);
  return fmt::format("{:.3g} {}B", size, kPrefixes[power - 1]);
}

}  // namespace gradatim
