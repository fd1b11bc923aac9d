// Values as text, and what a setting admits, in words.
#include "gradatim/core/text.h"

#include <fmt/format.h>

#include <cmath>

#include "gradatim/api/internal/features.h"
#include "gradatim/api/settings.h"

namespace gradatim::api {
namespace {

std::string scalar_text(const Scalar& scalar) {
  return std::visit(
      [](const auto& x) -> std::string {
        using T = std::remove_cvref_t<decltype(x)>;
        if constexpr (std::is_same_v<T, bool>) {
          return x ? "true" : "false";
        } else if constexpr (std::is_same_v<T, double>) {
          return number_text(x);
        } else if constexpr (std::is_same_v<T, std::string>) {
          return x;
        } else {
          return std::to_string(x);
        }
      },
      scalar);
}

std::string joined(std::span<const std::string_view> words) {
  std::string text;
  for (const auto word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

// Bounds are read by people: 1000000, not 1e+06.
std::string bound_text(double x) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  const bool whole = x == std::floor(x) && std::abs(x) <= kExact;
  return whole ? std::to_string(static_cast<std::int64_t>(x)) : number_text(x);
}

bool everything(const Range& range) { return std::isinf(range.low) && std::isinf(range.high); }

// "in [1, inf) [rows]" with what is known of it.
std::string where(const Setting& setting) {
  std::string text;
  if (!everything(setting.note.range)) text += " in " + to_text(setting.note.range);
  if (!setting.note.unit.empty()) text += fmt::format(" [{}]", setting.note.unit);
  return text;
}

}  // namespace

std::string to_text(const Value& value) {
  if (const auto* named = std::get_if<ByName>(&value)) return internal::named_text(*named);
  if (const auto* groups = std::get_if<Groups>(&value)) return internal::groups_text(*groups);
  const auto* items = std::get_if<std::vector<Scalar>>(&value);
  if (items == nullptr) {
    return std::visit(
        [](const auto& x) -> std::string {
          if constexpr (std::is_constructible_v<Scalar, decltype(x)>) return scalar_text(Scalar(x));
          return {};
        },
        value);
  }
  if (items->empty()) return "[]";
  std::string text;
  for (const auto& item : *items) {
    if (!text.empty()) text += ',';
    text += scalar_text(item);
  }
  return text;
}

std::string to_text(const Range& range) {
  const bool open_low = range.open_low || std::isinf(range.low);
  const bool open_high = range.open_high || std::isinf(range.high);
  return fmt::format("{}{}, {}{}", open_low ? '(' : '[', bound_text(range.low),
                     bound_text(range.high), open_high ? ')' : ']');
}

std::string type_text(const Setting& setting) {
  static constexpr std::string_view kOne[] = {"flag", "integer", "real"};
  static constexpr std::string_view kMany[] = {"flags", "integers", "reals"};
  const auto type = static_cast<std::size_t>(setting.type);
  const bool choice = setting.type == Type::choice;
  if (setting.form == Form::groups) return "groups of features";
  if (setting.form == Form::by_feature) return fmt::format("{} by feature", kOne[type]);
  if (setting.form == Form::one) {
    return choice ? "one of " + joined(setting.choices) : std::string(kOne[type]);
  }
  const auto what = choice ? "of " + joined(setting.choices) : std::string(kMany[type]);
  return fmt::format("list of at most {} {}", setting.capacity, what);
}

std::string admissible(const Setting& setting) {
  static constexpr std::string_view kOne[] = {"true or false", "an integer", "a number"};
  static constexpr std::string_view kMany[] = {"flags", "integers", "numbers"};
  const auto type = static_cast<std::size_t>(setting.type);
  const bool choice = setting.type == Type::choice;
  if (setting.form == Form::groups) return "groups of feature names, as a,b;c,d";
  if (setting.form == Form::by_feature) {
    return fmt::format("{}{} for features by name, as a:1,b:-1, or one for each in order",
                       kOne[type], where(setting));
  }
  if (setting.form == Form::one) {
    return choice ? "one of " + joined(setting.choices) : std::string(kOne[type]) + where(setting);
  }
  const auto what =
      choice ? "of " + joined(setting.choices) : std::string(kMany[type]) + where(setting);
  return fmt::format("a list of at most {} {}", setting.capacity, what);
}

}  // namespace gradatim::api
