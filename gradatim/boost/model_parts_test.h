// For tests: a model file taken apart, changed, and put together again.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gradatim/core/safetensors.h"

namespace gradatim::boost::testing {

/// A model file, taken apart.
class Parts {
 public:
  explicit Parts(const std::string& bytes) {
    const SafetensorsFile file(bytes, "model");
    description = file.metadata("gradatim");
    for (const auto& [name, view] : file.arrays()) {
      arrays_[name] = {view.dtype, std::string(view.bytes)};
    }
  }

  nlohmann::json card() const { return nlohmann::json::parse(description); }
  template <class T>
  void set(const std::string& name, std::vector<T> values) {
    ASSERT_TRUE(arrays_.contains(name)) << name;
    add(name, std::move(values));
  }
  template <class T>
  void add(const std::string& name, std::vector<T> values) {
    std::string bytes(values.size() * sizeof(T), '\0');
    if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    arrays_[name] = {dtype_of<T>(), std::move(bytes)};
  }
  template <class T>
  std::vector<T> get(const std::string& name) const {
    const std::string& bytes = arrays_.at(name).bytes;
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  void erase(const std::string& name) { ASSERT_EQ(arrays_.erase(name), 1U) << name; }
  std::string bytes() const {
    SafetensorsWriter writer;
    for (const auto& [name, array] : arrays_) {
      const auto size = static_cast<std::int64_t>(array.bytes.size() / size_of(array.dtype));
      writer.add_bytes(name, array.dtype, {size}, array.bytes);
    }
    writer.set_metadata("gradatim", description);
    return writer.bytes();
  }

  std::string description;  // the card as JSON

 private:
  struct Array {
    DType dtype;
    std::string bytes;
  };
  std::map<std::string, Array> arrays_;
};

}  // namespace gradatim::boost::testing
