#include "gradatim/neural/checkpoint/diffusers_folder.h"

#include <fmt/format.h>

#include <filesystem>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/neural/checkpoint/diffusers_config.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kWeights = "diffusion_pytorch_model.safetensors";

std::string text_of(const fs::path& path) { return std::string(MappedFile(path).bytes()); }

Json parsed(const std::string& text, const fs::path& path) {
  Json json = Json::parse(text, nullptr, false);
  GRADATIM_CHECK(json.is_object(), ModelError, 3062, "{} is no JSON object", path.string());
  return json;
}

}  // namespace

UnetFolder read_unet_folder(const std::string& path) {
  UnetFolder folder{.path = path};
  const fs::path pipeline(path);
  if (!fs::exists(pipeline / "config.json") && fs::exists(pipeline / "unet" / "config.json")) {
    folder.path = (pipeline / "unet").string();
  }
  const fs::path file = fs::path(folder.path) / "config.json";
  GRADATIM_CHECK(fs::exists(file), ModelError, 3062,
                 "{} is no folder of diffusers: it has no config.json, nor has a folder unet in it",
                 path);
  folder.config = text_of(file);
  const Json json = parsed(folder.config, file);
  const auto name = json.value("_class_name", Json("UNet2DModel"));
  GRADATIM_CHECK(name == "UNet2DModel" || name == "UNet2DConditionModel", ModelError, 3062,
                 "{} describes a {}; neural.network.unet reads UNet2DModel and "
                 "UNet2DConditionModel",
                 file.string(), name.dump());
  const fs::path own(folder.path);
  for (const fs::path& around : {pipeline / "scheduler", own / ".." / "scheduler", own, pipeline}) {
    const fs::path scheduler = around / "scheduler_config.json";
    if (!folder.scheduler && fs::exists(scheduler)) folder.scheduler = text_of(scheduler);
  }
  folder.settings = unet_settings(json, file.string());
  folder.shape = unet_shape(json, file.string());
  return folder;
}

std::unique_ptr<Net> load_unet(const UnetFolder& folder, at::Device device) {
  auto net = declare_net(*api::build_as<Network>(folder.settings), folder.shape);
  read_unet_parameters(folder, net->parameters(), device);
  return net;
}

void write_unet_folder(const std::string& path, const Network& network, const NetworkShape& shape,
                       const Parameters& parameters, const std::string& config) {
  SafetensorsWriter weights;
  parameters.store(weights, parameters.values());
  weights.set_metadata("format", "pt");
  write_unet_config(path, network, shape, config);
  weights.write((fs::path(path) / kWeights).string());
}

void write_unet_config(const std::string& path, const Network& network, const NetworkShape& shape,
                       const std::string& config) {
  Json json = config.empty() ? Json::object() : parsed(config, "config.json");
  json["_class_name"] = shape.context > 0 ? "UNet2DConditionModel" : "UNet2DModel";
  if (!json.contains("_diffusers_version")) json["_diffusers_version"] = "0.42.1";
  json.update(unet_json(*static_cast<const UnetConfig*>(network.config()), shape));
  fs::create_directories(path);
  write_atomically((fs::path(path) / "config.json").string(), json.dump(2) + "\n");
}

}  // namespace gradatim::neural
