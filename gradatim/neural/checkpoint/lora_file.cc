#include "gradatim/neural/checkpoint/lora_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"

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

// What PEFT's settings say of the scale: diffusers writes them into the metadata, a network at a
// time, PEFT itself into a file beside the weights.
class PeftSettings {
 public:
  PeftSettings(const SafetensorsFile& file, bool by_peft) {
    const std::string text = file.metadata("lora_adapter_metadata");
    if (text.empty() && by_peft) {
      take_file(file.source());
    } else {
      json_ = nlohmann::json::parse(text, nullptr, false);
    }
    for (const char* network : {"unet.", "text_encoder.", ""}) {
      const auto dora = found(network, "use_dora");
      GRADATIM_CHECK(dora == nullptr || *dora != true, ModelError, 3079,
                     "{}: its settings say that it is a DoRA", file.source());
      check_pattern(network, file.source());
    }
  }

  /// What up down is multiplied by: alpha over the rank, or over its root.
  double scale(LoraTarget target, const std::string& layer, std::optional<double> alpha,
               double rank) const {
    const std::string network = whole_                       ? ""
                                : target == LoraTarget::unet ? "unet."
                                                             : "text_encoder.";
    if (!alpha) alpha = own_alpha(network, layer);
    const auto* root = found(network, "use_rslora");
    return alpha.value_or(rank) / (root != nullptr && *root == true ? std::sqrt(rank) : rank);
  }

 private:
  void take_file(const std::string& source) {
    const auto path = settings_beside(source);
    GRADATIM_CHECK(is_file(path), ModelError, 3078,
                   "{}: PEFT keeps the scale of a LoRA in adapter_config.json; put it beside",
                   source);
    json_ = nlohmann::json::parse(MappedFile(path.string()).bytes(), nullptr, false);
    GRADATIM_CHECK(json_.is_object(), ModelError, 3078, "{}: not an object of JSON", path.string());
    whole_ = true;
  }
  // PEFT takes an expression for a layer's name or its end; names are all that is known here.
  void check_pattern(const std::string& network, const std::string& source) const {
    const auto* pattern = found(network, "alpha_pattern");
    if (pattern == nullptr || !pattern->is_object()) return;
    for (const auto& [key, value] : pattern->items()) {
      GRADATIM_CHECK(key.find_first_of("\\^$*+?()[]{}|") == std::string::npos, ModelError, 3078,
                     "{}: its settings have an alpha for the expression '{}'; give names of layers",
                     source, key);
    }
  }
  const nlohmann::json* found(const std::string& network, const char* name) const {
    if (!json_.is_object()) return nullptr;
    const auto at = json_.find(network + name);
    return at == json_.end() ? nullptr : &*at;
  }
  std::optional<double> own_alpha(const std::string& network, const std::string& layer) const {
    const auto* pattern = found(network, "alpha_pattern");
    if (pattern != nullptr && pattern->is_object()) {
      for (const auto& [key, value] : pattern->items()) {
        if (value.is_number() && (layer == key || layer.ends_with("." + key))) {
          return value.template get<double>();
        }
      }
    }
    const auto* all = found(network, "lora_alpha");
    if (all == nullptr || !all->is_number()) return std::nullopt;
    return all->get<double>();
  }

  nlohmann::json json_;
  bool whole_ = false;  // of one network, whose name is not in front
};

struct HalfChange {
  std::optional<StoredArray> up, down;
  std::optional<double> alpha;
};

}  // namespace

std::filesystem::path settings_beside(const std::filesystem::path& lora) {
  return lora.parent_path() / "adapter_config.json";
}

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
  const bool peft_names = std::ranges::any_of(file->arrays().arrays(), [](const auto& named) {
    return named.first.starts_with(kBeginnings[0].first);
  });
  const bool whole_scales =
      std::ranges::all_of(halves, [](const auto& item) { return item.second.alpha.has_value(); });
  const PeftSettings peft(file->arrays(), peft_names && !whole_scales);
  std::vector<LoraChange> changes;
  for (const auto& [key, half] : halves) {
    const auto& [target, layer] = key;
    const bool whole = half.up && half.down && !half.down->shape.empty() && half.down->shape[0] > 0;
    GRADATIM_CHECK(whole, ModelError, 3078, "{}: half of the change of '{}' is missing", path,
                   layer);
    const auto rank = static_cast<double>(half.down->shape[0]);
    const double scale = peft.scale(target, layer, half.alpha, rank);
    changes.push_back({target, layer, *half.up, *half.down, scale});
  }
  GRADATIM_CHECK(!changes.empty(), ModelError, 3078, "{}: it holds no LoRA", path);
  return changes;
}

}  // namespace gradatim::neural
