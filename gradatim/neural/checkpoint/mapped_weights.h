// MappedWeights: Weights that look into mapped files; and where they are in a folder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gradatim/neural/checkpoint/folder_arrays.h"
#include "gradatim/neural/checkpoint/weights.h"

namespace gradatim::neural {

class MappedWeights final : public Weights {
 public:
  /// Arrays under the network's names. ModelError GRD-3003 where one is not of real numbers.
  MappedWeights(std::string source, StoredArrays arrays);

  const std::string& source() const override { return source_; }
  std::vector<std::string> names() const override;
  std::vector<std::int64_t> shape(const std::string& name) const override;
  Tensor read(const std::string& name) const override;
  void forget(const std::string& name) const override;

  const StoredArrays& arrays() const { return arrays_; }

 private:
  const StoredArray& found(const std::string& name) const;

  std::string source_;
  StoredArrays arrays_;
};

/// folder_arrays() by_network_names(), as Weights.
std::shared_ptr<const MappedWeights> folder_weights(const std::string& folder,
                                                    const std::string& stem);

}  // namespace gradatim::neural
