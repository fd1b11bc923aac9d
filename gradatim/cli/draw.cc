#include "gradatim/cli/draw.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradatim/cli/group.h"
#include "gradatim/core/byte_size.h"
#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/text.h"
#include "gradatim/data/png.h"
#include "gradatim/data/samples.h"
#include "gradatim/neural/convert.h"
#include "gradatim/neural/stable_diffusion.h"

namespace gradatim::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kComponent = "neural.stable_diffusion";

// "FILE:0.7", or a file alone.
std::pair<std::string, double> weighted_file(const std::string& word) {
  const auto colon = word.rfind(':');
  const auto weight =
      colon == std::string::npos ? std::nullopt : parse_number(word.substr(colon + 1));
  return weight ? std::pair(word.substr(0, colon), *weight) : std::pair(word, 1.0);
}

// What a single file was taught to say: of an oracle, --prediction is a part of the sampler.
constexpr std::string_view kPrediction = "prediction";

std::string prediction_of(const Arguments& arguments) {
  std::string asked;
  for (const auto& [name, value] : arguments.settings) {
    if (name == kPrediction) asked = value;
  }
  return asked;
}

neural::CheckpointRequest checkpoint_of(const std::string& path, const Arguments& arguments) {
  neural::CheckpointRequest request{.path = path,
                                    .tokenizer = arguments.text("tokenizer"),
                                    .scheduler = arguments.text("scheduler"),
                                    .prediction = prediction_of(arguments),
                                    .eight_bit = arguments.has("eight_bit")};
  for (const auto& word : arguments.list("embedding")) {
    const auto colon = word.rfind(':');
    const bool named = colon != std::string::npos && !fs::exists(word);
    request.embeddings.emplace_back(word.substr(0, named ? colon : std::string::npos),
                                    named ? word.substr(colon + 1) : "");
  }
  for (const auto& word : arguments.list("lora")) request.loras.push_back(weighted_file(word));
  if (arguments.has("memory")) request.memory = parse_byte_size(arguments.text("memory"));
  request.prepared = arguments.text("prepared");
  const bool written = !request.prepared.empty() && !fs::exists(request.prepared);
  if (written) check_writable(request.prepared);
  return request;
}

// A misspelt option may be one of the verb's own.
api::Settings parsed(const std::vector<api::Option>& options, const Command& command) {
  try {
    return api::parse_settings(kComponent, options);
  } catch (const UsageError& error) {
    const std::string why = error.what();
    std::vector<std::string> names = option_names(command);
    names.emplace_back("guidance");
    for (const auto& [name, value] : options) {
      const auto near = nearest_name(name, names);
      const bool meant = error.code() == 1002 && why.find("did you mean") == std::string::npos &&
                         why.find("'" + name + "'") != std::string::npos;
      if (!meant || !near) continue;
      throw UsageError(1002, fmt::format("{} has no option '--{}'; did you mean '--{}'?",
                                         command.name, name, *near));
    }
    throw;
  }
}

// "--guidance 7.5" is the weight of guidance.
api::Settings settings_of(const Arguments& arguments) {
  std::vector<api::Option> options = arguments.settings;
  bool grid = false, solver = false, strength = false;
  for (auto& [name, value] : options) {
    if (name == "guidance") name = "guidance_weight";
    grid = grid || name.starts_with("grid");
    solver = solver || name == "solver";
    strength = strength || name == "strength";
  }
  GRADATIM_CHECK(solver || !grid, UsageError, 1002,
                 "--grid is for a solver; name one by --solver, or a --scheduler without a grid");
  GRADATIM_CHECK(!solver || !arguments.has("scheduler"), UsageError, 1002,
                 "give a --scheduler of diffusers or a --solver, not both");
  GRADATIM_CHECK(!strength || arguments.has("image"), UsageError, 1002,
                 "--strength is of an image to start from; name one by --image");
  std::erase_if(options, [](const auto& option) { return option.first == kPrediction; });
  return api::complete(parsed(options, *arguments.command));
}

data::Samples one_image(const std::string& path) {
  std::string ending = fs::path(path).extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return std::tolower(c); });
  const bool known = ending == ".png" || ending == ".jpg" || ending == ".jpeg" ||
                     ending == ".npy" || ending == ".npz" || !fs::exists(path);
  GRADATIM_CHECK(known, UsageError, 1224, "{} is no PNG or JPEG file; convert it to one", path);
  data::Samples samples = data::read_samples(path);
  GRADATIM_CHECK(samples.is_images() && samples.count == 1 && !samples.bytes.empty(), UsageError,
                 1224, "{} is not one image of bytes; name a PNG or JPEG file", path);
  return samples;
}

neural::Array image_of(const Arguments& arguments) {
  if (!arguments.has("image")) return {};
  const data::Samples samples = one_image(arguments.text("image"));
  const auto pixels = samples.shape[1] * samples.shape[2];
  neural::Array image{{3, samples.shape[1], samples.shape[2]}, {}};
  for (std::int64_t channel = 0; channel < 3; ++channel) {
    const auto* from = samples.bytes.data() + (samples.shape[0] == 1 ? 0 : channel) * pixels;
    for (std::int64_t k = 0; k < pixels; ++k) image.numbers.push_back(from[k] / 255.0F);
  }
  return image;
}

// Of colours, the mean.
neural::Array mask_of(const Arguments& arguments) {
  if (!arguments.has("mask")) return {};
  const data::Samples samples = one_image(arguments.text("mask"));
  const auto pixels = static_cast<std::size_t>(samples.shape[1] * samples.shape[2]);
  const auto channels = static_cast<std::size_t>(samples.shape[0]);
  neural::Array mask{{samples.shape[1], samples.shape[2]}, std::vector<float>(pixels)};
  for (std::size_t k = 0; k < pixels; ++k) {
    float sum = 0.0F;
    for (std::size_t channel = 0; channel < channels; ++channel) {
      sum += samples.bytes[channel * pixels + k];
    }
    mask.numbers[k] = sum / (255.0F * static_cast<float>(channels));
  }
  return mask;
}

std::vector<std::uint8_t> bytes_of(std::span<const float> numbers) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(numbers.size());
  for (const float x : numbers) bytes.push_back(static_cast<std::uint8_t>(std::lround(x * 255.0F)));
  return bytes;
}

data::Image picture(const std::vector<std::uint8_t>& planes, std::int64_t height,
                    std::int64_t width) {
  data::Image image{.height = height, .width = width, .channels = 3};
  const auto pixels = static_cast<std::size_t>(height * width);
  for (std::size_t k = 0; k < pixels; ++k) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      image.bytes.push_back(planes[channel * pixels + k]);
    }
  }
  return image;
}

// Also of "folder/".
std::string last_name(const std::string& path) {
  const fs::path plain = fs::path(path).lexically_normal();
  return (plain.has_filename() ? plain : plain.parent_path()).filename().string();
}

// The names of files without their folders, which are nobody's business.
std::string names_alone(const std::string& words) {
  std::vector<std::string> names;
  for (const auto& word : split(words, ',')) {
    names.push_back(last_name(word));
  }
  return fmt::format("{}", fmt::join(names, ","));
}

// What made an image, so that it can be made again.
data::PngText told(const std::string& checkpoint, const neural::DrawRequest& request,
                   std::uint64_t seed, const Arguments& arguments, const api::Settings& settings) {
  nlohmann::ordered_json json{{"prompt", request.prompt},
                              {"negative", request.negative},
                              {"seed", seed},
                              {"checkpoint", last_name(checkpoint)},
                              {"settings", nlohmann::ordered_json::parse(api::to_json(settings))}};
  for (const char* option : {"image", "mask", "scheduler", "lora", "embedding", "tokenizer"}) {
    if (arguments.has(option)) json[option] = names_alone(arguments.text(option));
  }
  const std::string prediction = prediction_of(arguments);
  if (!prediction.empty()) json["prediction"] = prediction;
  if (arguments.has("eight_bit")) json["eight_bit"] = true;
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  return {"gradatim", json.dump(-1, ' ', false, kReplace)};
}

// x.png, and of several images x-SEED.png.
std::string name_of(const std::string& out, std::uint64_t seed, bool several) {
  if (!several) return out;
  const fs::path path(out);
  return (path.parent_path() / fmt::format("{}-{}.png", path.stem().string(), seed)).string();
}

}  // namespace

bool is_checkpoint(const std::string& name) {
  if (fs::is_directory(name)) {
    // A folder may be called like an oracle.
    return name.find('/') != std::string::npos || fs::exists(fs::path(name) / "model_index.json") ||
           fs::exists(fs::path(name) / "unet");
  }
  for (const char* pickled : {".ckpt", ".pt", ".pth", ".bin"}) {
    if (name.ends_with(pickled)) return true;
  }
  return name.ends_with(".safetensors") && fs::exists(name) && neural::is_stable_diffusion(name);
}

int draw_images(const std::string& checkpoint, const Arguments& arguments, Session& session) {
  for (const std::string_view other : kNotOfCheckpoints) {
    GRADATIM_CHECK(!arguments.has(other), UsageError, 1002,
                   "a checkpoint of Stable Diffusion is asked by --prompt, and has no option "
                   "'--{}'",
                   other);
  }
  session.check_no_device("networks compute, and a checkpoint's compute on the processor");
  check_no_group(session.group().get(), "sample of a checkpoint of Stable Diffusion");
  const std::string out = arguments.required("out");
  const bool png = out.ends_with(".png");
  GRADATIM_CHECK(png || out.ends_with(".npz") || out.ends_with(".npy"), UsageError, 1002,
                 "images are written to .png, .npz or .npy; --out is '{}'", out);
  check_writable(out);
  const api::Settings settings = settings_of(arguments);
  for (const auto& notice : api::notices(settings)) session.progress().on_warning(notice);
  if (!arguments.has("prompt")) arguments.required("prompt");  // which may be empty
  neural::DrawRequest request{.prompt = arguments.text("prompt"),
                              .negative = arguments.text("negative"),
                              .how = api::build_as<neural::Pipeline>(settings),
                              .image = image_of(arguments),
                              .mask = mask_of(arguments),
                              .observer = &session.progress()};
  const std::int64_t count = arguments.integer("count", 1, 1, 1000000);
  for (std::int64_t k = 0; k < count; ++k) {
    request.seeds.push_back(session.seed() + static_cast<std::uint64_t>(k));
  }
  const auto opened = neural::open_stable_diffusion(checkpoint_of(checkpoint, arguments));
  for (const auto& note : opened->notes()) session.progress().on_warning(note);
  neural::Array images;
  if (png) {
    request.on_image = [&](std::size_t place, const neural::Array& image) {
      const std::uint64_t seed = request.seeds[place];
      const data::PngText text = told(checkpoint, request, seed, arguments, settings);
      write_atomically(
          name_of(out, seed, count > 1),
          data::encode_png(picture(bytes_of(image.numbers), image.shape[2], image.shape[3]),
                           {&text, 1}));
    };
    // A text that a picture cannot hold is told before anything is drawn.
    const data::PngText text = told(checkpoint, request, 0, arguments, settings);
    data::png_text_chunks({&text, 1});
    opened->draw(request);
  } else {
    images = opened->draw(request);
    data::write_samples({.shape = {3, images.shape[2], images.shape[3]},
                         .count = images.shape[0],
                         .bytes = bytes_of(images.numbers)},
                        out);
  }
  if (const std::int64_t bytes = opened->prepared_bytes(); bytes > 0) {
    session.progress().on_warning(fmt::format("wrote prepared weights to {}: {}",
                                              arguments.text("prepared"), byte_size_text(bytes)));
  }
  const bool several = png && count > 1;
  session.progress().finish(
      several ? fmt::format("wrote {} to {}: {} images", name_of(out, request.seeds.front(), true),
                            name_of(out, request.seeds.back(), true), count)
              : fmt::format("wrote {}: {} image{}", out, count, count == 1 ? "" : "s"));
  return kDone;
}

}  // namespace gradatim::cli
