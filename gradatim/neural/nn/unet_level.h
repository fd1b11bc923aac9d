// The blocks of one level of a U-Net, with diffusers' parameter names, and what changes the size of
// images behind them.
#pragma once

#include <optional>
#include <vector>

#include "gradatim/neural/nn/unet_layers.h"
#include "gradatim/neural/nn/unet_plan.h"
#include "gradatim/neural/nn/unet_transformer.h"

namespace gradatim::neural {

/// What the blocks of a pass see beside the image.
struct UnetSeen {
  Tensor time;  // activated, [rows, numbers]
  UnetText text;
  Dropout dropout;
};

class UnetLevel {
 public:
  /// `places`: of the attentions to the text so far, which the level counts on.
  static UnetLevel down(const Scope& scope, const UnetPlan& plan, std::int64_t level,
                        std::size_t& places);
  static UnetLevel middle(const Scope& scope, const UnetPlan& plan, std::size_t& places);
  static UnetLevel up(const Scope& scope, const UnetPlan& plan, std::int64_t level,
                      std::size_t& places);

  std::size_t blocks() const { return blocks_.size(); }
  /// Block k and the attention behind it; skip: undefined for none.
  Tensor block(std::size_t k, const Tensor& x, const Tensor& skip, UnetSeen& seen) const;
  /// Whether images are halved or made larger behind the blocks.
  bool resamples() const { return convolution_ || resnet_; }
  Tensor halved(const Tensor& x, UnetSeen& seen) const;
  /// size: height and width.
  Tensor enlarged(const Tensor& x, at::IntArrayRef size, UnetSeen& seen) const;

 private:
  void add_attentions(const Scope& scope, const UnetPlan& plan, std::int64_t level,
                      std::size_t& places);
  void add_transformer(const Scope& scope, const UnetPlan& plan, std::int64_t level,
                       std::size_t& places);

  std::vector<ResidualBlock> blocks_;
  std::vector<AttentionBlock> attentions_;     // behind each block, or none
  std::vector<UnetTransformer> transformers_;  // likewise
  std::optional<Convolution> convolution_;
  std::optional<ResidualBlock> resnet_;
};

}  // namespace gradatim::neural
