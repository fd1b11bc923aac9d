// A pipeline's folder of diffusers as a model of neural.diffusion, and back.
//
// What the folder of a model of ours cannot say in diffusers' own words (labels, the scale of data)
// is in config.json under "_gradatim", a key that diffusers passes over.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/new_folder.h"
#include "gradatim/neural/checkpoint/diffusers_autoencoder.h"
#include "gradatim/neural/checkpoint/diffusers_folder.h"
#include "gradatim/neural/checkpoint/diffusers_latent.h"
#include "gradatim/neural/checkpoint/diffusers_scheduler.h"
#include "gradatim/neural/convert.h"
#include "gradatim/neural/diffusion/diffusion_model.h"
#include "gradatim/neural/nn/error.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kOwn = "_gradatim";

// What samples are, beside their shape.
struct Kept {
  std::vector<std::string> classes;
  bool bytes = false;
  double drop_label = 0.1;
  std::vector<double> shift = {0.0}, factor = {1.0};
};

void set_range(Kept& kept) {
  kept.bytes = true;
  kept.shift = {127.5};
  kept.factor = {1.0 / 127.5};
}

// Of a folder that gradatim wrote; nothing of any other.
bool read_kept(const UnetFolder& folder, Kept& kept) {
  const auto config = Json::parse(folder.config, nullptr, false);
  if (!config.is_object() || !config.contains(kOwn)) return false;
  try {
    const Json& own = config.at(kOwn);
    own.at("classes").get_to(kept.classes);
    own.at("bytes").get_to(kept.bytes);
    own.at("drop_label").get_to(kept.drop_label);
    own.at("shift").get_to(kept.shift);
    own.at("factor").get_to(kept.factor);
    if (std::ssize(kept.classes) == folder.shape.classes) return true;
  } catch (const Json::exception&) {
  }
  throw ModelError(3063, fmt::format("{}: '{}' in config.json is damaged; remove it, and labels "
                                     "are numbers",
                                     folder.path, kOwn));
}

Json json_of(const Kept& kept) {
  return {{"classes", kept.classes},
          {"bytes", kept.bytes},
          {"drop_label", kept.drop_label},
          {"shift", kept.shift},
          {"factor", kept.factor}};
}

SchedulerParts parts_of(const UnetFolder& folder, std::vector<std::string>& notes) {
  if (!folder.scheduler) {
    notes.push_back(fmt::format(
        "{} has no scheduler_config.json; it is taken for a DDPMScheduler's network, of a thousand "
        "linear betas, that says the noise",
        folder.path));
  }
  try {
    return read_scheduler(folder.scheduler.value_or(R"({"_class_name": "DDPMScheduler"})"));
  } catch (const UsageError& error) {
    throw UsageError(error.code(), fmt::format("{}: {}", folder.path, error.message()));
  } catch (const ModelError& error) {
    throw ModelError(error.code(), fmt::format("{}: {}", folder.path, error.message()));
  }
}

Kept kept_of(const UnetFolder& folder, std::string_view scaling, std::vector<std::string>& notes) {
  Kept kept;
  const bool ours = read_kept(folder, kept);
  if (!ours && folder.shape.classes > 0) {
    for (std::int64_t k = 0; k < folder.shape.classes; ++k)
      kept.classes.push_back(std::to_string(k));
    notes.push_back(
        fmt::format("label {}, the last, is taken for none: it is what is sampled without --label",
                    folder.shape.classes));
  }
  const auto channels = folder.shape.sample[0];
  const bool images = channels == 1 || channels == 3;
  if (scaling == "range" || (scaling == "automatic" && !ours && images)) set_range(kept);
  if (scaling == "none") {
    kept.bytes = false;
    kept.shift = {0.0};
    kept.factor = {1.0};
  }
  return kept;
}

const char* scaling_of(const Kept& kept) {
  if (kept.factor.size() > 1) return "standard";
  return kept.factor == std::vector{1.0} ? "none" : "range";
}

api::Settings settings_of(const UnetFolder& folder, const SchedulerParts& scheduler,
                          const Kept& kept) {
  Json json{{"component", "neural.diffusion"},
            {"drop_label", kept.drop_label},
            {"scaling", scaling_of(kept)},
            {"learned_variance", folder.shape.outputs == 2}};
  api::Settings settings = api::settings_from_json(json.dump());
  settings.parts["network"] = folder.settings;
  settings.parts["path"] = scheduler.path;
  settings.parts["prediction"] = scheduler.prediction;
  return api::complete(settings);
}

Converted read(const std::string& path, std::string_view scaling) {
  const UnetFolder folder = read_unet_folder(path);
  GRADATIM_CHECK(
      folder.shape.context == 0, ModelError, 3062,
      "{} describes a UNet2DConditionModel, which is told a text; neural.diffusion is of "
      "a UNet2DModel",
      folder.path);
  Converted made;
  const SchedulerParts scheduler = parts_of(folder, made.notes);
  GRADATIM_CHECK(
      folder.shape.outputs == 1 || (folder.shape.outputs == 2 && scheduler.learned_variance),
      ModelError, 3063,
      "{}: out_channels is {} times in_channels; twice as many are learned variances, "
      "and need variance_type learned_range in the scheduler",
      folder.path, folder.shape.outputs);
  const Kept kept = kept_of(folder, scaling, made.notes);
  const SampleKind kind{folder.shape.sample, kept.classes, {}, kept.bytes, false};
  const auto way = api::build_as<process::Path>(scheduler.path);
  const double told = network_shape(kind, *way, 0).time_scale * way->model_time(way->last());
  GRADATIM_CHECK(std::abs(told - scheduler.last_time) < 1e-6, ModelError, 3068,
                 "{}: a table of {} betas is too short; networks here are told its times on "
                 "another scale",
                 folder.path, scheduler.last_time + 1.0);
  // By way of a file's bytes, so that a model that was converted is checked as one that was loaded.
  SafetensorsWriter file;
  data::store_card({.settings = settings_of(folder, scheduler, kept)}, file);
  kind.store(file);
  file.add("scale.shift", std::span<const double>(kept.shift));
  file.add("scale.factor", std::span<const double>(kept.factor));
  const auto net = load_unet(folder);
  net->parameters().store(file, net->parameters().values(), "network.");
  made.model = data::load_model_bytes(file.bytes(), folder.path);
  return made;
}

Kept kept_of(const DiffusionModel& model) {
  const auto& values = model.card().settings.values;
  const Scale& scale = model.scale();
  return {.classes = model.kind().classes,
          .bytes = model.kind().bytes,
          .drop_label = std::get<double>(values.at("drop_label")),
          .shift = {scale.shift().begin(), scale.shift().end()},
          .factor = {scale.factor().begin(), scale.factor().end()}};
}

std::vector<std::string> notes_of(const DiffusionModel& model) {
  std::vector<std::string> notes;
  if (!model.kind().classes.empty()) {
    notes.emplace_back(
        "DDPMPipeline asks for no label; call its unet by (x, t, class_labels=...), "
        "where the last label stands for none");
  }
  if (!model.kind().bytes) {
    notes.emplace_back(
        "diffusers samples states, not data: the data are state / factor + shift, "
        "with the numbers under _gradatim in config.json");
  }
  return notes;
}

std::vector<std::string> write(const DiffusionModel& model, const std::string& folder) {
  const auto& parts = model.card().settings.parts;
  const FieldParts& field = model.parts();
  const api::Settings& network = parts.at("network");
  GRADATIM_CHECK(network.component == "neural.network.unet", ModelError, 3063,
                 "diffusers' UNet2DModel is neural.network.unet alone; this network is {}",
                 network.component);
  GRADATIM_CHECK(!model.starts_from_source(), ModelError, 3068,
                 "the model starts from samples, and diffusers' pipeline from noise");
  const SchedulerParts scheduler{.path = parts.at("path"),
                                 .prediction = parts.at("prediction"),
                                 .learned_variance = field.shape.outputs == 2};
  const std::string config = scheduler_config(scheduler, *field.path, model.kind().bytes);
  const double last = field.path->model_time(field.path->last());
  GRADATIM_CHECK(field.shape.time_scale == 1.0 || last == 1.0, ModelError, 3068,
                 "a table of {} betas is too short: the network was told times on another scale "
                 "than diffusers does",
                 last + 1.0);
  NewFolder out(folder);
  write_unet_folder(out.path("unet"), *api::build_as<Network>(network), field.shape,
                    field.net->parameters(), Json{{kOwn, json_of(kept_of(model))}}.dump());
  fs::create_directory(out.path("scheduler"));
  write_atomically(out.path("scheduler/scheduler_config.json"), config);
  const Json index{{"_class_name", "DDPMPipeline"},
                   {"_diffusers_version", "0.42.1"},
                   {"scheduler", {"diffusers", Json::parse(config).at("_class_name")}},
                   {"unet", {"diffusers", "UNet2DModel"}}};
  write_atomically(out.path("model_index.json"), index.dump(2) + "\n");
  out.keep();
  return notes_of(model);
}

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::ReadDiffusers gradatim_read_diffusers;
gradatim::neural::WriteDiffusers gradatim_write_diffusers;

gradatim::neural::Converted gradatim_read_diffusers(const std::string& folder,
                                                    std::string_view scaling) {
  using namespace gradatim::neural;
  return translated([&] {
    const auto autoencoder = autoencoder_folder(folder);
    return autoencoder ? read_autoencoder(*autoencoder, scaling) : read(folder, scaling);
  });
}

std::vector<std::string> gradatim_write_diffusers(const gradatim::data::Model& model,
                                                  const std::string& folder) {
  using namespace gradatim::neural;
  return translated([&] {
    if (const auto* latent = dynamic_cast<const LatentDiffusionModel*>(&model)) {
      return write_latent_diffusion(*latent, folder);
    }
    const auto* autoencoder = dynamic_cast<const KlAutoencoderModel*>(&model);
    return autoencoder != nullptr ? write_autoencoder(*autoencoder, folder)
                                  : write(dynamic_cast<const DiffusionModel&>(model), folder);
  });
}
}
