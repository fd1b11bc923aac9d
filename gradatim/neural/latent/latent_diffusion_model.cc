#include "gradatim/neural/latent/latent_diffusion_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/samples/values.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

constexpr const char* kAutoencoder = "autoencoder";
constexpr const char* kDiffusion = "diffusion";

// Tags of what may be one of the two.
constexpr const char* kHasLatents = "latent";
constexpr const char* kIsField = "field";

// Rows that are encoded at once.
constexpr std::int64_t kRows = 256;

bool has_tag(const std::string& component, std::string_view tag) {
  const api::Entry* entry = api::Registry::instance().find(component);
  if (entry == nullptr) return false;
  const auto tags = split(entry->text.tags, ' ');
  return std::ranges::find(tags, tag) != tags.end();
}

void nest(SafetensorsWriter& file, const std::string& name, const std::string& bytes) {
  file.add(name, std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

// A model within the file, of a kind that holds no others: files cannot nest without end.
std::shared_ptr<const data::Model> nested(const SafetensorsFile& file, const std::string& name,
                                          const char* tag) {
  const std::string source = fmt::format("{}: its {}", file.source(), name);
  const std::string_view bytes = file.view(name).bytes;
  const SafetensorsFile inner(bytes, source);
  const std::string component = data::read_card(inner).settings.component;
  GRADATIM_CHECK(has_tag(component, tag), ModelError, 3076,
                 "{} is {}, which cannot be that; the file is damaged", source, component);
  return data::load_model_bytes(bytes, source);
}

}  // namespace

void check_has_latents(const std::string& component) {
  GRADATIM_CHECK(has_tag(component, kHasLatents), UsageError, 1210,
                 "{} has no latents that a diffusion could learn; take neural.kl_autoencoder",
                 component);
}

const process::LatentCoder& latents_of(const data::Model& model) {
  const auto* coder = dynamic_cast<const process::LatentCoder*>(&model);
  check_has_latents(model.card().settings.component);
  return *coder;
}

data::Samples latent_samples(const process::LatentCoder& coder, const data::Samples& samples) {
  const auto shape = coder.latent_shape();
  data::Samples made{.shape = {shape.begin(), shape.end()},
                     .count = samples.count,
                     .labels = samples.labels,
                     .classes = samples.classes,
                     .captions = samples.captions,
                     .captioned = samples.captioned};
  const auto data = data::values_of(samples, coder.shape(), "the samples");
  const std::int64_t dims = process::dims_of(coder);
  for (std::int64_t first = 0; first < samples.count; first += kRows) {
    const std::int64_t rows = std::min(kRows, samples.count - first);
    const auto latents = coder.encode(
        std::span(data).subspan(to_size(first * dims), to_size(rows * dims)), {.rows = rows});
    made.numbers.insert(made.numbers.end(), latents.begin(), latents.end());
  }
  return made;
}

std::shared_ptr<const LatentDiffusionModel> LatentDiffusionModel::load(
    const SafetensorsFile& file, const data::ModelCard& card) {
  const auto autoencoder = nested(file, kAutoencoder, kHasLatents);
  const auto diffusion =
      std::dynamic_pointer_cast<const FieldModel>(nested(file, kDiffusion, kIsField));
  const auto* coder = dynamic_cast<const process::LatentCoder*>(autoencoder.get());
  GRADATIM_CHECK(coder != nullptr && diffusion != nullptr &&
                     std::ranges::equal(coder->latent_shape(), diffusion->shape()),
                 ModelError, 3076,
                 "{}: its diffusion is not one of its autoencoder's latents; the file is damaged",
                 file.source());
  return std::make_shared<LatentDiffusionModel>(card, autoencoder, diffusion);
}

std::string LatentDiffusionModel::bytes() const {
  SafetensorsWriter file;
  data::store_card(card_, file);
  nest(file, kAutoencoder, autoencoder_->bytes());
  nest(file, kDiffusion, diffusion_->bytes());
  return file.bytes();
}

std::shared_ptr<const data::Model> LatentDiffusionModel::on(const std::string& device) const {
  return std::make_shared<LatentDiffusionModel>(
      card_, autoencoder_->on(device),
      std::static_pointer_cast<const FieldModel>(diffusion_->on(device)));
}

std::vector<float> LatentDiffusionModel::data_of(std::vector<float> states) const {
  diffusion_->to_data(states);
  const std::int64_t numbers = process::latent_dims_of(coder_);
  const std::int64_t rows = std::ssize(states) / numbers;
  std::vector<float> data;
  for (std::int64_t first = 0; first < rows; first += kRows) {
    const std::int64_t part = std::min(kRows, rows - first);
    const std::vector<double> latents(states.begin() + first * numbers,
                                      states.begin() + (first + part) * numbers);
    const auto decoded = coder_.decode(latents, {.rows = part});
    data.insert(data.end(), decoded.begin(), decoded.end());
  }
  return data;
}

std::vector<double> LatentDiffusionModel::states_of(std::vector<double> data) const {
  const auto latents = coder_.encode(data, {.rows = std::ssize(data) / process::dims_of(coder_)});
  std::vector<double> states(latents.begin(), latents.end());
  diffusion_->to_states(states);
  return states;
}

std::vector<std::pair<std::string, double>> LatentDiffusionModel::evaluate_samples(
    const data::Samples& samples, std::uint64_t seed) const {
  const data::Samples latents = latent_samples(coder_, samples);
  auto metrics = diffusion_->evaluate_samples(latents, seed);
  const auto data = data::values_of(samples, coder_.shape(), "the samples");
  std::vector<double> z(latents.numbers.begin(), latents.numbers.end());
  const auto decoded = coder_.decode(z, {.rows = samples.count});
  double squares = 0.0;
  for (std::size_t k = 0; k < data.size(); ++k) {
    squares += std::pow(data[k] - double{decoded[k]}, 2.0);
  }
  metrics.emplace_back("autoencoder_error", squares / static_cast<double>(data.size()));
  return metrics;
}

}  // namespace gradatim::neural
