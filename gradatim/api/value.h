// Values of settings, the ranges that admit them, and the two config types beyond plain members.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gradatim::api {

/// A number, a flag, or the name of an enumerator.
using Scalar = std::variant<bool, std::int64_t, double, std::string>;
/// A scalar a feature, in order of names; or, where all names are empty, by position.
using ByName = std::vector<std::pair<std::string, Scalar>>;
/// Groups of features by name.
using Groups = std::vector<std::vector<std::string>>;
/// What a setting can hold: a scalar, a list of scalars, scalars by feature, groups of features.
using Value =
    std::variant<bool, std::int64_t, double, std::string, std::vector<Scalar>, ByName, Groups>;

enum class Type { flag, integer, real, choice, text };
/// How many scalars a setting holds: one, a list, one a feature, or sets of feature names.
enum class Form { one, list, by_feature, groups };

/// The admissible values of a number; infinite ends are open. It prints itself ("(0, 1]") and
/// yields values just inside and just outside, so that one law checks every declared bound.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open_low = false;
  bool open_high = false;

  /// NaN and infinities are never admitted.
  constexpr bool contains(double x) const {
    const bool finite = x - x == 0.0;
    return finite && (open_low ? x > low : x >= low) && (open_high ? x < high : x <= high);
  }
};

constexpr Range above(double x) { return {.low = x, .open_low = true}; }
constexpr Range at_least(double x) { return {.low = x}; }
constexpr Range between(double low, double high) { return {.low = low, .high = high}; }
constexpr Range above_to(double low, double high) {
  return {.low = low, .high = high, .open_low = true};
}
constexpr Range from_below(double low, double high) {
  return {.low = low, .high = high, .open_high = true};
}
constexpr Range strictly_between(double low, double high) {
  return {.low = low, .high = high, .open_low = true, .open_high = true};
}

/// A list of at most N values inside a config: a literal type, where std::vector is not.
template <class T, std::size_t N>
struct List {
  std::array<T, N> values{};
  std::size_t size = 0;

  constexpr List() = default;
  constexpr List(std::initializer_list<T> items) {
    for (const T& item : items) values[size++] = item;
  }
  static constexpr std::size_t capacity() { return N; }
  constexpr const T* begin() const { return values.data(); }
  constexpr const T* end() const { return values.data() + size; }
  constexpr bool empty() const { return size == 0; }
  constexpr T operator[](std::size_t i) const { return values[i]; }
};

/// A number for some features of the data: by name, or (all names empty) one a feature in order.
/// The component resolves names when it sees the data.
template <class T>
struct ByFeature {
  std::vector<std::pair<std::string, T>> items;

  constexpr bool empty() const { return items.empty(); }
};

/// Sets of features, by name.
struct FeatureGroups {
  std::vector<std::vector<std::string>> groups;

  constexpr bool empty() const { return groups.empty(); }
};

}  // namespace gradatim::api
