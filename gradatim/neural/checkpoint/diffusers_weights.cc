// The weights of a diffusers folder: one file, or several and their index.
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/neural/checkpoint/diffusers_folder.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;

using Files = std::vector<std::unique_ptr<SafetensorsFile>>;

// The files that an index names, each once; all lie beside it.
Files indexed_files(const fs::path& index) {
  const auto json = nlohmann::json::parse(MappedFile(index.string()).bytes(), nullptr, false);
  const bool whole = json.is_object() && json.contains("weight_map") &&
                     json["weight_map"].is_object() && !json["weight_map"].empty();
  GRADATIM_CHECK(whole, ModelError, 3066, "{} is no index of weights", index.string());
  std::map<std::string, bool> names;
  for (const auto& [name, file] : json["weight_map"].items()) {
    const bool good = file.is_string() && fs::path(file.get<std::string>()).filename() ==
                                              fs::path(file.get<std::string>());
    GRADATIM_CHECK(good, ModelError, 3066, "{}: '{}' is not in a file beside the index",
                   index.string(), name);
    names[file.get<std::string>()] = true;
  }
  Files files;
  for (const auto& [name, used] : names) {
    files.push_back(std::make_unique<SafetensorsFile>((index.parent_path() / name).string()));
  }
  return files;
}

Files weight_files(const fs::path& folder) {
  const fs::path whole = folder / "diffusion_pytorch_model.safetensors";
  if (fs::exists(whole)) {
    Files files;
    files.push_back(std::make_unique<SafetensorsFile>(whole.string()));
    return files;
  }
  const fs::path index = folder / "diffusion_pytorch_model.safetensors.index.json";
  if (fs::exists(index)) return indexed_files(index);
  GRADATIM_CHECK(!fs::exists(folder / "diffusion_pytorch_model.bin"), ModelError, 3065,
                 "{} has pickled weights only, which can run code and are not read; let diffusers "
                 "write them again (save_pretrained writes safetensors)",
                 folder.string());
  throw ModelError(3065, fmt::format("{} has no weights: diffusion_pytorch_model.safetensors is "
                                     "missing",
                                     folder.string()));
}

// A parameter's name before diffusers renamed those of attention.
std::string former_name(const std::string& name) {
  constexpr std::pair<const char*, const char*> kRenamed[] = {{".to_q.", ".query."},
                                                              {".to_k.", ".key."},
                                                              {".to_v.", ".value."},
                                                              {".to_out.0.", ".proj_attn."}};
  for (const auto& [now, before] : kRenamed) {
    const auto at = name.find(now);
    if (at != std::string::npos) {
      return std::string(name).replace(at, std::string(now).size(), before);
    }
  }
  return name;
}

at::ScalarType type_of(const SafetensorsFile& file, const std::string& name, DType dtype) {
  switch (dtype) {
    case DType::f32: return at::kFloat;
    case DType::f16: return at::kHalf;
    case DType::bf16: return at::kBFloat16;
    case DType::f64: return at::kDouble;
    default:
      throw ModelError(3003, fmt::format("{}: '{}' is of type {}; weights are real numbers",
                                         file.source(), name, name_of(dtype)));
  }
}

// An array for a parameter.
struct Found {
  const SafetensorsFile* file;
  std::string name;
};

// A matrix may have been written as a convolution of single pixels.
std::vector<std::int64_t> shape_of(const Found& found, std::int64_t dims) {
  std::vector<std::int64_t> shape = found.file->view(found.name).shape;
  if (dims == 2 && shape.size() == 4 && shape[2] == 1 && shape[3] == 1) shape.resize(2);
  return shape;
}

void check_shape(const Found& found, const Tensor& value) {
  const auto shape = shape_of(found, value.dim());
  GRADATIM_CHECK(at::IntArrayRef(shape) == value.sizes(), ModelError, 3003,
                 "{}: '{}' has shape [{}]; the network's is [{}]", found.file->source(), found.name,
                 fmt::join(shape, ", "), fmt::join(value.sizes(), ", "));
}

void fill(const Found& found, const Tensor& value) {
  const auto& [from, name] = found;
  const SafetensorsFile& file = *from;
  const auto& view = file.view(name);
  std::string bytes(view.bytes);  // which also makes them aligned
  const Tensor numbers =
      at::from_blob(bytes.data(), view.shape, type_of(file, name, view.dtype)).to(at::kFloat);
  GRADATIM_CHECK(at::isfinite(numbers).all().item<bool>(), ModelError, 3061,
                 "{}: '{}' holds NaN or infinity", file.source(), name);
  value.copy_(numbers.view(value.sizes()));
}

}  // namespace

void read_unet_parameters(const UnetFolder& folder, Parameters& parameters, at::Device device) {
  read_folder_parameters(folder.path, parameters, device);
}

void read_folder_parameters(const std::string& path, Parameters& parameters, at::Device device) {
  const Files files = weight_files(path);
  std::map<std::string, const SafetensorsFile*> unused;
  for (const auto& file : files) {
    for (const auto& [name, view] : file->arrays()) unused[name] = file.get();
  }
  std::vector<Found> all;
  for (const Parameters::Item& item : parameters.items()) {
    auto found = unused.find(item.name);
    if (found == unused.end()) found = unused.find(former_name(item.name));
    GRADATIM_CHECK(found != unused.end(), ModelError, 3064, "{}: the weights lack '{}'", path,
                   item.name);
    all.push_back({found->second, found->first});
    check_shape(all.back(), item.value);
    unused.erase(found);
  }
  GRADATIM_CHECK(unused.empty(), ModelError, 3064,
                 "{}: the network has no '{}'; config.json does not fit the weights", path,
                 unused.begin()->first);
  parameters.pack(device);
  const at::NoGradGuard plain;
  for (std::size_t k = 0; k < all.size(); ++k) fill(all[k], parameters.items()[k].value);
}

}  // namespace gradatim::neural
