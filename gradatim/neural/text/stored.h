// The JSON of a stored vocabulary, asked field by field: what is missing or of another type is
// ModelError GRD-3069 by its name.
#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "gradatim/core/error.h"

namespace gradatim::neural {

class StoredFields {
 public:
  /// `source` is the file's name in messages.
  StoredFields(std::string_view json, std::string source)
      : fields_(Json::parse(json, nullptr, false)), source_(std::move(source)) {
    GRADATIM_CHECK(fields_.is_object(), ModelError, 3069,
                   "{}: the tokenizer is no JSON object; copy the file again", source_);
  }

  bool has(const char* name) const { return fields_.contains(name); }
  template <class T>
  T get(const char* name) const {
    try {
      return fields_.at(name).template get<T>();
    } catch (const Json::exception&) {
      refuse(name);
    }
  }
  void want(bool good, const char* name) const {
    if (!good) refuse(name);
  }
  const std::string& source() const { return source_; }

 private:
  using Json = nlohmann::json;

  [[noreturn]] void refuse(const char* name) const {
    throw ModelError(3069, fmt::format("{}: the tokenizer's '{}' is damaged; copy the file again",
                                       source_, name));
  }

  Json fields_;
  std::string source_;
};

}  // namespace gradatim::neural
