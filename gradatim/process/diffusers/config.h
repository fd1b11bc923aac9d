// Config: a scheduler_config.json of diffusers, read and checked.
//
// Every class has its own defaults, and they differ silently: what a file leaves out, or has as
// null, is the default of its class. Unknown keys are ignored, as the peer does.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gradatim::process::diffusers {

struct Family;

class Config {
 public:
  /// UsageError GRD-1120 (not such a file), GRD-1121 (a class that is not known, with the nearest
  /// name), GRD-1122 (a field of another type, or with an impossible value).
  static Config parse(std::string_view text);

  const Family& family() const { return *family_; }
  bool flag(std::string_view name) const;
  int integer(std::string_view name) const;
  double number(std::string_view name) const;
  std::string word(std::string_view name) const;
  /// Whether the class has the field, and it is not null.
  bool has(std::string_view name) const;
  std::optional<double> maybe(std::string_view name) const;
  std::vector<double> numbers(std::string_view name) const;
  bool is(std::string_view name, std::string_view value) const;
  /// A field that is true, where the class has it.
  bool on(std::string_view name) const { return has(name) && flag(name); }

  /// The same configuration with a field changed, for what the correct mode replaces.
  Config with_flag(std::string_view name, bool value) const;
  Config with_word(std::string_view name, std::string_view value) const;

 private:
  struct Fields;
  std::shared_ptr<const Fields> fields_;
  const Family* family_ = nullptr;
};

}  // namespace gradatim::process::diffusers
