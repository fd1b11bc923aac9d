// Small text helpers: numbers that round-trip, names that are nearly right, UTF-8.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gradatim {

/// The shortest decimal text that reads back to the same double ("0.1", "1e-05", "inf", "nan").
std::string number_text(double x);

/// The whole text as a number; nothing where it is not exactly one ("1 ", "0x1", "" are not). "inf"
/// and "nan" are; what is too large is infinite, what is too small is zero.
std::optional<double> parse_number(std::string_view text);
std::optional<long long> parse_integer(std::string_view text);

/// The candidate with the fewest edits from `name` (the first of equals), if at most a third of its
/// letters, or two, differ and something is alike.
std::optional<std::string> nearest_name(std::string_view name,
                                        std::span<const std::string> candidates);
/// "; did you mean 'x'?" or nothing.
std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

/// "a, b and c".
std::string join_and(std::span<const std::string> words);
std::vector<std::string> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);

/// The offset of the first byte that is not valid UTF-8 (overlong forms and surrogates included).
std::optional<std::size_t> invalid_utf8(std::string_view text);

}  // namespace gradatim
