#include "gradatim/neural/checkpoint/lora.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/neural/checkpoint/ldm_names.h"
#include "gradatim/neural/checkpoint/lora_file.h"
#include "gradatim/neural/checkpoint/mapped_weights.h"

namespace gradatim::neural {
namespace {

struct WeightChange {
  std::shared_ptr<const MappedWeights> factors;  // "up" and "down"
  double scale = 1.0;
};

using WeightChanges = std::map<std::string, std::vector<WeightChange>>;

class LoraWeights final : public Weights {
 public:
  LoraWeights(std::shared_ptr<const Weights> below, WeightChanges changes)
      : below_(std::move(below)), changes_(std::move(changes)) {}

  const std::string& source() const override { return below_->source(); }
  std::vector<std::string> names() const override { return below_->names(); }
  std::vector<std::int64_t> shape(const std::string& name) const override {
    return below_->shape(name);
  }
  Tensor read(const std::string& name) const override {
    const Tensor plain = below_->read(name);
    const auto found = changes_.find(name);
    if (found == changes_.end()) return plain;
    const at::NoGradGuard no_gradients;
    Tensor sum = plain.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
    Tensor rows = sum.flatten(1);
    for (const WeightChange& change : found->second) {
      const Tensor up = change.factors->read("up").to(at::kFloat).flatten(1);
      const Tensor down = change.factors->read("down").to(at::kFloat).flatten(1);
      rows.addmm_(up, down, 1.0, change.scale);  // [out, rank] [rank, in]
      GRADATIM_CHECK(at::isfinite(rows).all().item<bool>(), ModelError, 3061,
                     "{}: with it, '{}' holds NaN or infinity", change.factors->source(), name);
    }
    below_->forget(name);
    return sum;
  }
  void forget(const std::string& name) const override { below_->forget(name); }

 private:
  std::shared_ptr<const Weights> below_;
  WeightChanges changes_;
};

std::string with_underscores(std::string name) {
  std::ranges::replace(name, '.', '_');
  return name;
}

// The weights of a network by every name that a LoRA may give their layers.
std::map<std::string, std::string> layers_of(const Weights& weights, bool unet) {
  std::map<std::string, std::string> layers;
  const auto listed = weights.names();
  const Names names(listed.begin(), listed.end());
  const NamePairs pairs = unet ? unet_pairs(names, Layout::network) : NamePairs();
  const std::string ending = ".weight";
  for (const std::string& name : names) {
    if (!name.ends_with(ending)) continue;
    const std::string layer = name.substr(0, name.size() - ending.size());
    const std::string prefixed = unet ? layer : "text_model." + layer;
    for (const std::string& each : {layer, prefixed}) {
      layers[each] = layers[with_underscores(each)] = name;
    }
    const auto single_file = pairs.renamed(name, Layout::network);
    if (!single_file) continue;
    layers[with_underscores(single_file->substr(0, single_file->size() - ending.size()))] = name;
  }
  return layers;
}

void check_factors(const LoraChange& change, const std::vector<std::int64_t>& shape,
                   const std::string& path) {
  const auto& up = change.up.shape;
  const auto& down = change.down.shape;
  const auto numel = [](const std::vector<std::int64_t>& sizes) {
    return c10::multiply_integers(sizes);
  };
  const bool fits = shape.size() >= 2 && up.size() >= 2 && down.size() >= 2 && up[0] == shape[0] &&
                    up[1] == down[0] && numel(up) == up[0] * up[1] &&
                    numel(down) * shape[0] == numel(shape) * down[0];
  GRADATIM_CHECK(fits, ModelError, 3078,
                 "{}: '{}' has factors of shapes [{}] and [{}]; the checkpoint's layer is [{}]",
                 path, change.layer, fmt::join(up, ", "), fmt::join(down, ", "),
                 fmt::join(shape, ", "));
}

std::string some_names(const std::vector<std::string>& names) {
  constexpr std::size_t kTold = 3;
  const auto end = names.begin() + static_cast<long>(std::min(kTold, names.size()));
  return fmt::format("{}{}", fmt::join(names.begin(), end, ", "),
                     names.size() > kTold ? ", ..." : "");
}

struct BothChanges {
  WeightChanges unet, text;
};

void collect(const Lora& lora, const StableDiffusionFiles& files, BothChanges& all,
             std::vector<std::string>& notes) {
  GRADATIM_CHECK(std::isfinite(lora.weight), UsageError, 1003,
                 "the weight of a LoRA must be a finite number; got {}", lora.weight);
  const auto of_unet = layers_of(*files.unet, true), of_text = layers_of(*files.text, false);
  std::vector<std::string> unknown;
  std::size_t known = 0;
  for (const LoraChange& change : read_lora(lora.path)) {
    const bool unet = change.target == LoraTarget::unet;
    const auto& layers = unet ? of_unet : of_text;
    const auto found = layers.find(change.layer);
    if (found == layers.end()) {
      unknown.push_back(fmt::format("'{}'", change.layer));
      continue;
    }
    const std::string& name = found->second;
    check_factors(change, (unet ? files.unet : files.text)->shape(name), lora.path);
    StoredArrays factors{{"up", change.up}, {"down", change.down}};
    (unet ? all.unet : all.text)[name].push_back(
        {std::make_shared<MappedWeights>(lora.path, std::move(factors)),
         lora.weight * change.scale});
    ++known;
  }
  GRADATIM_CHECK(known > 0, ModelError, 3078,
                 "{}: none of its {} layers is the checkpoint's ({}); it is for another kind",
                 lora.path, unknown.size(), some_names(unknown));
  if (unknown.empty()) return;
  notes.push_back(fmt::format("{}: {} of its layers are not the checkpoint's and are left out ({})",
                              lora.path, unknown.size(), some_names(unknown)));
}

}  // namespace

void add_loras(StableDiffusionFiles& files, std::span<const Lora> loras) {
  BothChanges all;
  for (const Lora& lora : loras) collect(lora, files, all, files.notes);
  if (!all.unet.empty()) {
    files.unet = std::make_shared<LoraWeights>(files.unet, std::move(all.unet));
  }
  if (!all.text.empty()) {
    files.text = std::make_shared<LoraWeights>(files.text, std::move(all.text));
  }
}

}  // namespace gradatim::neural
