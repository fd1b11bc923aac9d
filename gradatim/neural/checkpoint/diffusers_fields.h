// A config.json of diffusers, asked field by field: what it is silent about is its class's default,
// and a field that cannot be had is refused by its name.
#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "gradatim/core/error.h"

namespace gradatim::neural {

class DiffusersFields {
 public:
  using Json = nlohmann::ordered_json;

  /// `source` is the file's name in messages, `owner` what the fields are to describe.
  DiffusersFields(Json defaults, const Json& given, std::string source,
                  std::string owner = "neural.network.unet")
      : fields_(std::move(defaults)), source_(std::move(source)), owner_(std::move(owner)) {
    fields_.update(given);
  }

  /// ModelError GRD-3063 where it is missing, or of another type.
  template <class T>
  T get(const char* name) const {
    try {
      return fields_.at(name).get<T>();
    } catch (const Json::exception&) {
      refuse(name);
    }
  }
  bool null(const char* name) const { return !fields_.contains(name) || fields_[name].is_null(); }
  bool list(const char* name) const { return fields_.contains(name) && fields_[name].is_array(); }
  std::string text(const char* name) const {
    return fields_.contains(name) ? fields_[name].dump() : "null";
  }
  void want(bool good, const char* name) const {
    if (!good) refuse(name);
  }

 private:
  [[noreturn]] void refuse(const char* name) const {
    throw ModelError(3063,
                     fmt::format("{}: {} cannot have {} = {}", source_, owner_, name, text(name)));
  }

  Json fields_;
  std::string source_, owner_;
};

}  // namespace gradatim::neural
