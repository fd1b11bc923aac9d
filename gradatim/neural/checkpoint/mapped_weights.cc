#include "gradatim/neural/checkpoint/mapped_weights.h"

#include <fmt/format.h>

#include <cstring>

#include "gradatim/core/error.h"

namespace gradatim::neural {
namespace {

std::optional<at::ScalarType> real_type(DType dtype) {
  switch (dtype) {
    case DType::f32: return at::kFloat;
    case DType::f16: return at::kHalf;
    case DType::bf16: return at::kBFloat16;
    case DType::f64: return at::kDouble;
    default: return std::nullopt;
  }
}

}  // namespace

MappedWeights::MappedWeights(std::string source, StoredArrays arrays)
    : source_(std::move(source)), arrays_(std::move(arrays)) {
  for (const auto& [name, array] : arrays_) {
    GRADATIM_CHECK(real_type(array.dtype), ModelError, 3003,
                   "{}: '{}' is of type {}; weights are real numbers", source_, name,
                   name_of(array.dtype));
  }
}

std::vector<std::string> MappedWeights::names() const {
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays_) names.push_back(name);
  return names;
}

const StoredArray& MappedWeights::found(const std::string& name) const {
  const auto at = arrays_.find(name);
  GRADATIM_CHECK(at != arrays_.end(), ModelError, 3064, "{}: the weights lack '{}'", source_, name);
  return at->second;
}

std::vector<std::int64_t> MappedWeights::shape(const std::string& name) const {
  return found(name).shape;
}

Tensor MappedWeights::read(const std::string& name) const {
  const StoredArray& array = found(name);
  const at::ScalarType type = *real_type(array.dtype);
  const auto address = reinterpret_cast<std::uintptr_t>(array.bytes.data());
  if (array.bytes.empty() || address % size_of(array.dtype) != 0) {
    const Tensor copy = at::empty(array.shape, type);
    if (!array.bytes.empty())
      std::memcpy(copy.mutable_data_ptr(), array.bytes.data(), array.bytes.size());
    return copy;
  }
  // torch asks for memory that could be written; this is mapped for reading alone.
  void* numbers = const_cast<char*>(array.bytes.data());  // NOLINT
  return at::from_blob(
      numbers, array.shape, [file = array.file](void*) {}, type);
}

void MappedWeights::forget(const std::string& name) const {
  const StoredArray& array = found(name);
  if (array.file != nullptr) array.file->forget(array.bytes);
}

std::shared_ptr<const MappedWeights> folder_weights(const std::string& folder,
                                                    const std::string& stem) {
  return std::make_shared<MappedWeights>(folder,
                                         by_network_names(folder_arrays(folder, stem), folder));
}

}  // namespace gradatim::neural
