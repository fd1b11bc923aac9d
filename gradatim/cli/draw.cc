#include "gradatim/cli/draw.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <functional>
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

neural::CheckpointRequest checkpoint_of(const std::string& path, const Arguments& arguments) {
  neural::CheckpointRequest request{.path = path,
                                    .tokenizer = arguments.text("tokenizer"),
                                    .scheduler = arguments.text("scheduler"),
                                    .prediction = arguments.text("says"),
                                    .embeddings = arguments.list("embedding"),
                                    .eight_bit = arguments.has("eight_bit")};
  for (const auto& word : arguments.list("lora")) request.loras.push_back(weighted_file(word));
  if (arguments.has("memory")) request.memory = parse_byte_size(arguments.text("memory"));
  return request;
}

// "--guidance 7.5" is the weight of guidance.
api::Settings settings_of(std::vector<api::Option> options) {
  for (auto& [name, value] : options) {
    if (name == "guidance") name = "guidance_weight";
  }
  return api::complete(api::parse_settings(kComponent, options));
}

data::Samples one_image(const std::string& path) {
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

data::Image picture(std::span<const std::uint8_t> planes, std::int64_t height, std::int64_t width) {
  data::Image image{.height = height, .width = width, .channels = 3};
  const auto pixels = static_cast<std::size_t>(height * width);
  for (std::size_t k = 0; k < pixels; ++k) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      image.bytes.push_back(planes[channel * pixels + k]);
    }
  }
  return image;
}

// What made an image, so that it can be made again.
std::string told(const std::string& checkpoint, const neural::DrawRequest& request,
                 std::size_t place, const Arguments& arguments, const api::Settings& settings) {
  nlohmann::ordered_json json{
      {"prompt", request.prompt},
      {"negative", request.negative},
      {"seed", request.seeds[place]},
      {"checkpoint", fs::path(checkpoint).lexically_normal().filename().string()},
      {"settings", nlohmann::ordered_json::parse(api::to_json(settings))}};
  for (const char* option : {"image", "mask", "scheduler", "lora", "embedding"}) {
    if (arguments.has(option)) json[option] = arguments.text(option);
  }
  if (arguments.has("eight_bit")) json["eight_bit"] = true;
  return json.dump();
}

// x.png, and of several images x-SEED.png.
std::string name_of(const std::string& out, std::uint64_t seed, bool several) {
  if (!several) return out;
  const fs::path path(out);
  return (path.parent_path() / fmt::format("{}-{}.png", path.stem().string(), seed)).string();
}

void write_pictures(const neural::Array& images, const std::string& out,
                    const std::function<std::string(std::size_t)>& told_of,
                    const neural::DrawRequest& request) {
  const auto size = static_cast<std::size_t>(3 * images.shape[2] * images.shape[3]);
  const auto bytes = bytes_of(images.numbers);
  for (std::size_t place = 0; place < request.seeds.size(); ++place) {
    const data::PngText text{"gradatim", told_of(place)};
    const auto image =
        picture(std::span(bytes).subspan(place * size, size), images.shape[2], images.shape[3]);
    write_atomically(name_of(out, request.seeds[place], request.seeds.size() > 1),
                     data::encode_png(image, {&text, 1}));
  }
}

}  // namespace

bool is_checkpoint(const std::string& name) {
  if (fs::is_directory(name)) return true;
  if (name.ends_with(".ckpt") || name.ends_with(".pt") || name.ends_with(".bin")) return true;
  return name.ends_with(".safetensors") && fs::exists(name) && neural::is_stable_diffusion(name);
}

int draw_images(const std::string& checkpoint, const Arguments& arguments, Session& session) {
  for (const char* other :
       {"label", "classifier", "match", "source", "given", "temperature", "top_k", "top_p"}) {
    GRADATIM_CHECK(!arguments.has(other), UsageError, 1002,
                   "a checkpoint of Stable Diffusion is asked by --prompt, and has no option "
                   "'--{}'",
                   other);
  }
  session.check_no_device();
  check_no_group(session.group().get(), "sample of a checkpoint of Stable Diffusion");
  const std::string out = arguments.required("out");
  const bool png = out.ends_with(".png");
  GRADATIM_CHECK(png || out.ends_with(".npz") || out.ends_with(".npy"), UsageError, 1002,
                 "images are written to .png, .npz or .npy; --out is '{}'", out);
  check_writable(out);
  const api::Settings settings = settings_of(arguments.settings);
  for (const auto& notice : api::notices(settings)) session.progress().on_warning(notice);
  neural::DrawRequest request{.prompt = arguments.required("prompt"),
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
  const neural::Array images = opened->draw(request);
  if (png) {
    write_pictures(
        images, out,
        [&](std::size_t place) { return told(checkpoint, request, place, arguments, settings); },
        request);
  } else {
    data::write_samples({.shape = {3, images.shape[2], images.shape[3]},
                         .count = images.shape[0],
                         .bytes = bytes_of(images.numbers)},
                        out);
  }
  session.progress().finish(fmt::format("wrote {}: {} image{} of {} x {}", out, count,
                                        count == 1 ? "" : "s", images.shape[3], images.shape[2]));
  return kDone;
}

}  // namespace gradatim::cli
