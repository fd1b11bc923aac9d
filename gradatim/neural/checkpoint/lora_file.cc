#include "gradatim/neural/checkpoint/lora_file.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "gradatim/core/error.h"

namespace gradatim::neural {
namespace {

enum class LoraRole { up, down, alpha };

struct LoraName {
  LoraTarget target;
  std::string layer;
  LoraRole role;
};

// Parts of names that only other kinds of changes have.
constexpr std::pair<std::string_view, std::string_view> kOtherKinds[] = {
    {"hada_w", "LoHa"},
    {"lokr_w", "LoKr"},
    {"dora_scale", "DoRA"},
    {"lora_magnitude_vector", "DoRA"},
    {"lora_mid", "LoCon with a middle factor"},
    {"oft_", "OFT"},
    {"boft_", "BOFT"},
    {".diff", "full difference"},
    {"on_input", "IA3"}};

constexpr std::pair<std::string_view, LoraRole> kEndings[] = {
    {".lora_down.weight", LoraRole::down},
    {".lora_up.weight", LoraRole::up},
    {".lora_A.weight", LoraRole::down},
    {".lora_B.weight", LoraRole::up},
    {".lora_A.default.weight", LoraRole::down},
    {".lora_B.default.weight", LoraRole::up},
    {".lora_linear_layer.down.weight", LoraRole::down},
    {".lora_linear_layer.up.weight", LoraRole::up},
    {".lora.down.weight", LoraRole::down},
    {".lora.up.weight", LoraRole::up},
    {"_lora.down.weight", LoraRole::down},
    {"_lora.up.weight", LoraRole::up},
    {".alpha", LoraRole::alpha}};

// In front of a layer's name; the first that fits counts.
constexpr std::pair<std::string_view, LoraTarget> kBeginnings[] = {
    {"base_model.model.", LoraTarget::unet},
    {"lora_unet_", LoraTarget::unet},
    {"lora_te_", LoraTarget::text},
    {"lora_te1_", LoraTarget::text},
    {"unet.", LoraTarget::unet},
    {"text_encoder.", LoraTarget::text}};

// What stands between a layer and its attention in files of processors.
void remove_processor(std::string& layer) {
  constexpr std::string_view kProcessor = ".processor";
  const auto at = layer.find(kProcessor);
  if (at != std::string::npos) layer.erase(at, kProcessor.size());
  if (layer.ends_with(".to_out")) layer += ".0";
  // A text network's own names.
  if (layer.find(".self_attn.") == std::string::npos) return;
  constexpr std::pair<std::string_view, std::string_view> kText[] = {
      {".to_q", ".q_proj"}, {".to_k", ".k_proj"}, {".to_v", ".v_proj"}, {".to_out.0", ".out_proj"}};
  for (const auto& [theirs, ours] : kText) {
    if (layer.ends_with(theirs)) layer.replace(layer.size() - theirs.size(), theirs.size(), ours);
  }
}

std::optional<LoraName> parsed_name(std::string name) {
  LoraName found{LoraTarget::unet, {}, LoraRole::up};
  for (const auto& [beginning, target] : kBeginnings) {
    if (!name.starts_with(beginning)) continue;
    name.erase(0, beginning.size());
    found.target = target;
    if (beginning != kBeginnings[0].first) break;  // else a network's name may follow
  }
  for (const auto& [ending, role] : kEndings) {
    if (!name.ends_with(ending)) continue;
    found.layer = name.substr(0, name.size() - ending.size());
    found.role = role;
    remove_processor(found.layer);
    return found;
  }
  return std::nullopt;
}

void check_lora_kind(const SafetensorsFile& file) {
  for (const auto& [name, view] : file.arrays()) {
    for (const auto& [part, kind] : kOtherKinds) {
      GRADATIM_CHECK(name.find(part) == std::string::npos, ModelError, 3079,
                     "{}: '{}' is of a {}; plain LoRAs are read", file.source(), name, kind);
    }
  }
}

double as_double(const SafetensorsFile& file, const std::string& name) {
  const auto& view = file.view(name);
  double value = NAN;
  if (view.bytes.size() == size_of(view.dtype)) {
    const auto bits = [&](auto as) {
      std::memcpy(&as, view.bytes.data(), sizeof(as));
      return as;
    };
    switch (view.dtype) {
      case DType::f32: value = bits(0.0F); break;
      case DType::f64: value = bits(0.0); break;
      case DType::bf16: {
        value = std::bit_cast<float>(static_cast<std::uint32_t>(bits(std::uint16_t{0})) << 16);
        break;
      }
      case DType::f16: value = static_cast<double>(bits(_Float16{0})); break;
      case DType::i64: value = static_cast<double>(bits(std::int64_t{0})); break;
      case DType::i32: value = bits(std::int32_t{0}); break;
      default: break;
    }
  }
  GRADATIM_CHECK(std::isfinite(value), ModelError, 3078, "{}: '{}' is not one number",
                 file.source(), name);
  return value;
}

// What PEFT's settings in the metadata say of alpha, by network and perhaps by layer.
class PeftAlpha {
 public:
  explicit PeftAlpha(const SafetensorsFile& file)
      : json_(nlohmann::json::parse(file.metadata("lora_adapter_metadata"), nullptr, false)) {
    for (const char* network : {"unet.", "text_encoder."}) {
      const auto dora =
          json_.is_object() ? json_.find(std::string(network) + "use_dora") : json_.end();
      const bool plain = !json_.is_object() || dora == json_.end() || *dora != true;
      GRADATIM_CHECK(plain, ModelError, 3079, "{}: its metadata say that it is a DoRA",
                     file.source());
    }
  }
  std::optional<double> of(LoraTarget target, const std::string& layer) const {
    if (!json_.is_object()) return std::nullopt;
    const std::string network = target == LoraTarget::unet ? "unet." : "text_encoder.";
    const auto pattern = json_.find(network + "alpha_pattern");
    if (pattern != json_.end() && pattern->is_object()) {
      const auto own = pattern->find(layer);
      if (own != pattern->end() && own->is_number()) return own->get<double>();
    }
    const auto all = json_.find(network + "lora_alpha");
    if (all == json_.end() || !all->is_number()) return std::nullopt;
    return all->get<double>();
  }

 private:
  nlohmann::json json_;
};

struct HalfChange {
  std::optional<StoredArray> up, down;
  std::optional<double> alpha;
};

}  // namespace

std::vector<LoraChange> read_lora(const std::string& path) {
  const auto file = std::make_shared<StoredFile>(path);
  check_lora_kind(file->arrays());
  std::map<std::pair<LoraTarget, std::string>, HalfChange> halves;
  for (const auto& [name, array] : arrays_of(file)) {
    const auto found = parsed_name(name);
    GRADATIM_CHECK(found.has_value(), ModelError, 3078,
                   "{}: '{}' is no array of a LoRA as kohya's scripts, diffusers or PEFT write one",
                   path, name);
    HalfChange& half = halves[{found->target, found->layer}];
    if (found->role == LoraRole::alpha) half.alpha = as_double(file->arrays(), name);
    if (found->role == LoraRole::up) half.up = array;
    if (found->role == LoraRole::down) half.down = array;
  }
  const PeftAlpha peft(file->arrays());
  std::vector<LoraChange> changes;
  for (const auto& [key, half] : halves) {
    const auto& [target, layer] = key;
    const bool whole = half.up && half.down && !half.down->shape.empty() && half.down->shape[0] > 0;
    GRADATIM_CHECK(whole, ModelError, 3078, "{}: half of the change of '{}' is missing", path,
                   layer);
    const auto rank = static_cast<double>(half.down->shape[0]);
    const double alpha = half.alpha ? *half.alpha : peft.of(target, layer).value_or(rank);
    changes.push_back({target, layer, *half.up, *half.down, alpha / rank});
  }
  GRADATIM_CHECK(!changes.empty(), ModelError, 3078, "{}: it holds no LoRA", path);
  return changes;
}

}  // namespace gradatim::neural
