// Texts: what samples are asked to be in words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gradatim/process/field.h"

namespace gradatim::process {

/// A text, the same for all rows or one a row of the whole sampling.
class Texts final : public Condition {
 public:
  explicit Texts(std::vector<std::string> texts) : texts_(std::move(texts)) {}
  /// Which of all() a row is asked by.
  std::size_t place_of(std::int64_t row) const {
    return texts_.size() == 1 ? 0 : static_cast<std::size_t>(row);
  }
  std::span<const std::string> all() const { return texts_; }

 private:
  std::vector<std::string> texts_;
};

}  // namespace gradatim::process
