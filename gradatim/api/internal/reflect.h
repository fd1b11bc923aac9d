// What export.h reads from the code by itself: the names of members and enumerators, the number of
// members, defaults. GCC >= 12 and Clang >= 14 spell all of these out in __PRETTY_FUNCTION__.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "gradatim/api/value.h"

namespace gradatim::api::internal {

// Declared and never defined: the call that a constant expression cannot make is the message.
void this_setting_has_no_documentation();
void the_documentation_does_not_end_with_a_full_stop();
void this_default_lies_outside_its_declared_range();
void a_member_of_the_config_is_not_described();
void the_public_name_is_not_dotted_snake_case();
void the_summary_does_not_end_with_a_full_stop();
void the_source_is_not_named();
void a_real_setting_is_a_double();

// A plain pointer: g++ appends alias expansions to the signature of a function that returns a view.
template <auto kValue>
constexpr const char* signature() {
  return __PRETTY_FUNCTION__;
}

template <auto kValue>
constexpr std::string_view spelled() {
  std::string_view s = signature<kValue>();
  s = s.substr(s.find("kValue = ") + 9);
  return s.substr(0, s.find_first_of(";]"));
}

template <auto kMember>
constexpr std::string_view member_name() {
  const std::string_view s = spelled<kMember>();
  return s.substr(s.rfind(':') + 1);
}

template <class>
struct Member;
template <class Config, class T>
struct Member<T Config::*> {
  using Owner = Config;
  using Type = T;
};

template <class>
struct Argument;
template <class R, class A>
struct Argument<R (*)(const A&)> {
  using Type = A;
  struct Config {};
};
template <class R, class A, class C>
struct Argument<R (*)(const A&, const C&)> {
  using Type = A;
  using Config = C;
};

template <class T>
struct Element {
  using Type = T;
  static constexpr Form kForm = Form::one;
};
template <class T, std::size_t N>
struct Element<List<T, N>> {
  using Type = T;
  static constexpr Form kForm = Form::list;
};
template <class T>
struct Element<ByFeature<T>> {
  using Type = T;
  static constexpr Form kForm = Form::by_feature;
};
template <>
struct Element<FeatureGroups> {
  using Type = std::string;
  static constexpr Form kForm = Form::groups;
};

template <class T>
constexpr Type type_of() {
  if constexpr (std::is_enum_v<T>)
    return Type::choice;
  else if constexpr (std::is_same_v<T, std::string>)
    return Type::text;
  else if constexpr (std::is_same_v<T, bool>)
    return Type::flag;
  else if constexpr (std::is_integral_v<T>)
    return Type::integer;
  else
    return Type::real;
}

/// Enumerators count from 0 without gaps, at most 16 of them.
template <class E>
struct Enumerators {
  static constexpr std::size_t kMost = 16;

  template <std::size_t kIndex>
  static constexpr std::string_view name_at() {
    // A value without an enumerator is spelled as a cast, "(ns::E)7"; Clang spells an anonymous
    // namespace with parentheses too, "(anonymous namespace)::E::a".
    std::string_view s = spelled<static_cast<E>(kIndex)>();
    s = s.substr(s.rfind(')') + 1);
    const bool cast = (s.front() >= '0' && s.front() <= '9') || s.front() == '-';
    return cast ? std::string_view{} : s.substr(s.rfind(':') + 1);
  }
  template <std::size_t... kIndex>
  static constexpr auto all(std::index_sequence<kIndex...>) {
    return std::array<std::string_view, kMost>{name_at<kIndex>()...};
  }
  static constexpr std::array<std::string_view, kMost> kNames =
      all(std::make_index_sequence<kMost>());
  static constexpr std::size_t count() {
    std::size_t n = 0;
    while (n < kMost && !kNames[n].empty()) ++n;
    return n;
  }
  static constexpr std::span<const std::string_view> names() { return {kNames.data(), count()}; }
};

/// The enumerator's own name.
template <class E>
constexpr std::string_view enumerator_name(E value) {
  return Enumerators<E>::kNames[static_cast<std::size_t>(value)];
}

template <class T>
Scalar to_scalar(T x) {
  if constexpr (std::is_enum_v<T>)
    return std::string(enumerator_name(x));
  else if constexpr (std::is_same_v<T, bool>)
    return x;
  else if constexpr (std::is_integral_v<T>)
    return static_cast<std::int64_t>(x);
  else
    return static_cast<double>(x);
}

template <class T>
T from_scalar(const Scalar& scalar) {
  if constexpr (std::is_enum_v<T>) {
    const auto names = Enumerators<T>::names();
    const auto& wanted = std::get<std::string>(scalar);
    std::size_t i = 0;
    while (i + 1 < names.size() && names[i] != wanted) ++i;
    return static_cast<T>(i);
  } else if constexpr (std::is_same_v<T, bool>) {
    return std::get<bool>(scalar);
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(std::get<std::int64_t>(scalar));
  } else {
    return static_cast<T>(std::get<double>(scalar));
  }
}

template <class Config, auto kMember>
Value get_member(const void* config) {
  const auto& member = static_cast<const Config*>(config)->*kMember;
  using T = std::remove_cvref_t<decltype(member)>;
  if constexpr (Element<T>::kForm == Form::list) {
    std::vector<Scalar> items;
    for (const auto& item : member) items.push_back(to_scalar(item));
    return items;
  } else if constexpr (Element<T>::kForm == Form::by_feature) {
    ByName items;
    for (const auto& [name, item] : member.items) items.emplace_back(name, to_scalar(item));
    return items;
  } else if constexpr (Element<T>::kForm == Form::groups) {
    return member.groups;
  } else {
    return std::visit([](auto&& x) -> Value { return x; }, to_scalar(member));
  }
}

template <class Config, auto kMember>
void set_member(void* config, const Value& value) {
  auto& member = static_cast<Config*>(config)->*kMember;
  using T = std::remove_cvref_t<decltype(member)>;
  if constexpr (Element<T>::kForm == Form::by_feature) {
    member = T{};
    for (const auto& [name, item] : std::get<ByName>(value)) {
      member.items.emplace_back(name, from_scalar<typename Element<T>::Type>(item));
    }
  } else if constexpr (Element<T>::kForm == Form::groups) {
    member.groups = std::get<Groups>(value);
  } else if constexpr (Element<T>::kForm == Form::list) {
    using Item = typename Element<T>::Type;
    member = T{};
    for (const auto& item : std::get<std::vector<Scalar>>(value)) {
      member.values[member.size++] = from_scalar<Item>(item);
    }
  } else {
    member = std::visit(
        [](auto&& x) -> T {
          if constexpr (std::is_constructible_v<Scalar, decltype(x)>) {
            return from_scalar<T>(Scalar(x));
          } else {
            return T{};
          }
        },
        value);
  }
}

template <class Config, auto kMember>
Value initial_member() {
  const Config config{};
  return get_member<Config, kMember>(&config);
}

template <class T>
consteval void check_default(const T& initial, const Range& range) {
  if constexpr (Element<T>::kForm == Form::list) {
    for (const auto& item : initial) check_default(item, range);
  } else if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
    if (!range.contains(static_cast<double>(initial))) {
      this_default_lies_outside_its_declared_range();
    }
  }
}

struct Anything {
  template <class T>
  operator T&() const&;
  template <class T>
  operator T&&() const&&;
};

template <class T, class... Args>
constexpr std::size_t arity() {
  if constexpr (requires { T{Args{}..., Anything{}}; }) {
    return arity<T, Args..., Anything>();
  } else {
    return sizeof...(Args);
  }
}

constexpr bool dotted_snake_case(std::string_view s) {
  if (s.empty() || s.front() == '.' || s.back() == '.') return false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    const bool lower = c >= 'a' && c <= 'z';
    const bool digit = c >= '0' && c <= '9';
    const bool separator = c == '.' || c == '_';
    if (!lower && !digit && !separator) return false;
    if (c == '.' && s[i - 1] == '.') return false;
  }
  return true;
}

// The build maps the source root to nothing, so __FILE__ is "gradatim/boost/loss/huber.cc".
constexpr std::string_view from_root(std::string_view file) {
  const auto at = file.rfind("gradatim/");
  return at == std::string_view::npos ? file : file.substr(at);
}

}  // namespace gradatim::api::internal
