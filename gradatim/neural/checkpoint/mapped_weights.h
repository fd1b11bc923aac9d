// MappedWeights: Weights that look into mapped files; and where they are in a folder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gradatim/neural/checkpoint/stored_arrays.h"
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

/// The stems of files of weights, as diffusers and transformers name them.
inline constexpr const char* kDiffusersStem = "diffusion_pytorch_model";
inline constexpr const char* kTransformersStem = "model";

/// All arrays of a folder as they are called there: of STEM.safetensors, of several files and their
/// STEM.safetensors.index.json, or of either with `fp16` in its name. ModelError GRD-3065 (none,
/// or pickled ones alone), GRD-3066 (an index that is damaged, or names what is not beside it).
StoredArrays folder_arrays(const std::string& folder, const std::string& stem);

/// The same under the names that networks have today: attention's former ones, the `text_model.` in
/// front of a text network's; what is no parameter is left out. ModelError GRD-3066 where two
/// arrays have one name.
StoredArrays by_network_names(const StoredArrays& arrays, const std::string& source);

/// Both, as Weights.
std::shared_ptr<const MappedWeights> folder_weights(const std::string& folder,
                                                    const std::string& stem);

}  // namespace gradatim::neural
