#include "gradatim/neural/latent/kl_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "gradatim/core/error.h"
#include "gradatim/core/normal.h"
#include "gradatim/core/parallel.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/nn/memory.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

using process::LatentRequest;

// Numbers of the samples of a chunk, about.
constexpr std::int64_t kChunkNumbers = 1 << 15;
// Samples that a model is measured on at the end of its training.
constexpr std::int64_t kMeasured = 4096;
// The draws of steps have other numbers.
constexpr std::uint32_t kNoStep = ~std::uint32_t{0};

std::vector<std::int64_t> sizes_with(std::int64_t rows, std::span<const std::int64_t> shape) {
  std::vector<std::int64_t> sizes{rows};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  return sizes;
}

Tensor in_memory(const Tensor& x) { return x.to(at::kCPU).contiguous(); }

// Rows as they lie in memory, the last one again where there are no more.
Tensor rows_as_tensor(std::span<const double> numbers, std::span<const std::int64_t> shape,
                      const KlChunk& chunk, std::int64_t all) {
  const std::int64_t width = process::extents_of(shape);
  const Tensor made = at::empty(sizes_with(chunk.size, shape), at::kFloat);
  for (std::int64_t k = 0; k < chunk.size; ++k) {
    const std::int64_t row = std::min(chunk.first + k, all - 1);
    std::ranges::transform(numbers.subspan(to_size(row * width), to_size(width)),
                           made.data_ptr<float>() + k * width,
                           [](double x) { return static_cast<float>(x); });
  }
  return made;
}

void put_rows(const Tensor& made, const KlChunk& chunk, std::vector<float>& out) {
  const Tensor host = in_memory(made);
  const std::int64_t width = host.numel() / chunk.size;
  const float* numbers = host.const_data_ptr<float>();
  for (std::int64_t k = 0; k < chunk.rows * width; ++k) {
    GRADATIM_CHECK(std::isfinite(numbers[k]), NumericError, 4040,
                   "row {} leads out of the range of floats; it is too far from what was learned",
                   chunk.first + k / width);
  }
  std::copy_n(numbers, chunk.rows * width, out.begin() + chunk.first * width);
}

void check_numbers(const LatentRequest& request, std::size_t numbers, std::int64_t width) {
  GRADATIM_CHECK(request.rows >= 0 && numbers == to_size(request.rows * width), UsageError, 1203,
                 "{} rows of {} numbers need {} in all, not {}", request.rows, width,
                 request.rows * width, numbers);
  GRADATIM_CHECK(request.tile >= 0, UsageError, 1203,
                 "a tile has at least one pixel, or is 0 for none; got {}", request.tile);
}

// ln of the chance that a normal number of this deviation rounds to `apart` from its mean, or to
// anything beyond where that is the last number there is.
double log_cell(double apart, double deviation, bool last) {
  const double near = (std::abs(apart) - 0.5) / deviation;
  const double far = (std::abs(apart) + 0.5) / deviation;
  const auto above = [](double u) { return 0.5 * std::erfc(u / std::sqrt(2.0)); };
  const double chance = above(near) - (last ? 0.0 : above(far));
  if (chance > 1e-280) return std::log(chance);
  // Below what doubles know; the density at the far side is a lower bound.
  return -0.5 * far * far - std::log(deviation * std::sqrt(2.0 * std::numbers::pi));
}

// ln p(x | y) of one sample, in the data's own units: normal errors of `error` in states.
double log_likelihood(const KlParts& parts, const float* x, const float* y, std::int64_t dims,
                      bool bytes) {
  const auto factors = parts.scale.factor();
  double nats = 0.0;
  for (std::int64_t k = 0; k < dims; ++k) {
    const std::size_t at = factors.size() == 1 ? 0 : to_size(k);
    const double deviation = std::max(parts.error, 1e-6) / factors[at];
    const double apart = (double{x[k]} - double{y[k]}) / factors[at];
    if (!bytes) {
      nats -= 0.5 * std::pow(apart / deviation, 2.0) +
              std::log(deviation * std::sqrt(2.0 * std::numbers::pi));
      continue;
    }
    const double value = double{x[k]} / factors[at] + parts.scale.shift()[at];
    const bool last = (apart < 0.0 && value < 0.5) || (apart > 0.0 && value > 254.5);
    nats += log_cell(apart, deviation, last);
  }
  return nats;
}

}  // namespace

KlParts KlParts::make(const KlConfig& config, const SampleKind& kind, Scale scale,
                      std::uint64_t seed, at::Device device) {
  KlParts parts{.parameters = std::make_shared<Parameters>(), .scale = std::move(scale)};
  parts.net = make_kl_net(config, Scope(*parts.parameters), kind.shape);
  parts.device = device;
  parts.parameters->pack(device);
  parts.parameters->init(seed);
  return parts;
}

void for_kl_chunks(const KlParts& parts, std::int64_t dims, std::int64_t rows,
                   const std::function<void(const KlChunk&)>& f) {
  const std::int64_t size = std::clamp<std::int64_t>(kChunkNumbers / dims, 1, 64);
  const at::NoGradGuard plain;
  const PooledMemory pooled;
  const TorchThreads threads(parts.net->operations() * static_cast<double>(size));
  for (std::int64_t first = 0; first < rows; first += size) {
    check_interrupt();
    f({first, std::min(size, rows - first), size});
  }
}

Tensor kl_states(const KlParts& parts, const data::Samples& samples, const KlChunk& chunk) {
  const auto dims = to_size(samples.size());
  const Tensor states = at::empty(sizes_with(chunk.size, samples.shape), at::kFloat);
  for (std::int64_t k = 0; k < chunk.size; ++k) {
    parts.scale.row(samples, std::min(chunk.first + k, samples.count - 1),
                    {states.data_ptr<float>() + k * samples.size(), dims});
  }
  return states.to(parts.device);
}

Tensor kl_noise(const KlParts& parts, std::uint64_t seed, std::int64_t first, std::int64_t size) {
  const auto width = to_size(process::extents_of(parts.net->latent()));
  const Philox draws(seed, Stream::posterior, kNoStep);
  std::vector<double> noise(width);
  const Tensor made = at::empty(sizes_with(size, parts.net->latent()), at::kFloat);
  for (std::int64_t k = 0; k < size; ++k) {
    normals(draws, 4 * ((width + 3) / 4) * to_size(first + k), noise);
    std::ranges::transform(noise, made.data_ptr<float>() + to_size(k) * width,
                           [](double x) { return static_cast<float>(x); });
  }
  return made.to(parts.device);
}

std::vector<float> KlAutoencoderModel::encode(std::span<const double> data,
                                              const LatentRequest& request) const {
  check_numbers(request, data.size(), kind_.dims());
  std::vector<double> states(data.begin(), data.end());
  parts_.scale.to_states(states);
  std::vector<float> out(to_size(request.rows * process::latent_dims_of(*this)));
  translated([&] {
    for_kl_chunks(parts_, kind_.dims(), request.rows, [&](const KlChunk& chunk) {
      const Tensor x = rows_as_tensor(states, kind_.shape, chunk, request.rows).to(parts_.device);
      const Posterior found = parts_.net->encode(x);
      const Tensor z = request.seed
                           ? found.draw(kl_noise(parts_, *request.seed,
                                                 request.first_row + chunk.first, chunk.size))
                           : found.mean;
      put_rows(z * parts_.factor, chunk, out);
    });
  });
  return out;
}

std::vector<float> KlAutoencoderModel::decode(std::span<const double> latents,
                                              const LatentRequest& request) const {
  check_numbers(request, latents.size(), process::latent_dims_of(*this));
  std::vector<float> out(to_size(request.rows * kind_.dims()));
  translated([&] {
    for_kl_chunks(parts_, kind_.dims(), request.rows, [&](KlChunk chunk) {
      if (request.tile > 0) chunk.size = chunk.rows;  // one by one, and none for nothing
      const Tensor z = rows_as_tensor(latents, latent_shape(), chunk, request.rows)
                           .to(parts_.device)
                           .div_(parts_.factor);
      put_rows(
          request.tile > 0 ? parts_.net->decode_in_stripes(z, request.tile) : parts_.net->decode(z),
          chunk, out);
    });
  });
  parts_.scale.to_data(std::span(out));
  return out;
}

std::vector<std::pair<std::string, double>> KlAutoencoderModel::evaluate_samples(
    const data::Samples& samples, std::uint64_t seed) const {
  kind_.check(samples);
  const std::int64_t dims = kind_.dims();
  const auto factors = parts_.scale.factor();
  double lost = 0.0, squares = 0.0, nats = 0.0, likelihood = 0.0;
  translated([&] {
    for_kl_chunks(parts_, dims, samples.count, [&](const KlChunk& chunk) {
      const Tensor x = kl_states(parts_, samples, chunk);
      const Posterior found = parts_.net->encode(x);
      const Tensor z = found.draw(kl_noise(parts_, seed, chunk.first, chunk.size));
      const Tensor from = in_memory(x), made = in_memory(parts_.net->decode(z));
      const Tensor divergence = in_memory(found.divergence());
      for (std::int64_t k = 0; k < chunk.rows; ++k) {
        nats += double{divergence.const_data_ptr<float>()[k]};
        const float* a = from.const_data_ptr<float>() + k * dims;
        const float* b = made.const_data_ptr<float>() + k * dims;
        for (std::int64_t j = 0; j < dims; ++j) {
          const double apart = double{a[j]} - double{b[j]};
          const double units = apart / factors[factors.size() == 1 ? 0 : to_size(j)];
          lost += plan_.config.reconstruction == Reconstruction::squared ? apart * apart
                                                                         : std::abs(apart);
          squares += units * units;
        }
        if (parts_.error > 0.0) likelihood += log_likelihood(parts_, a, b, dims, kind_.bytes);
      }
    });
  });
  const auto rows = static_cast<double>(samples.count), size = static_cast<double>(dims);
  std::vector<std::pair<std::string, double>> metrics{
      {"loss", (lost + plan_.config.kl_weight * nats) / (rows * size)},
      {"reconstruction_error", std::sqrt(squares / (rows * size))},
      {"divergence", nats / rows}};
  if (parts_.error > 0.0) {
    metrics.emplace_back("bits_per_dim", (nats - likelihood) / (rows * size * std::numbers::ln2));
  }
  return metrics;
}

// Of samples evenly among all.
void measure_latents(KlParts& parts, const data::Samples& samples, std::uint64_t seed) {
  const std::int64_t count = std::min(samples.count, kMeasured), dims = samples.size();
  double sum = 0.0, squares = 0.0, apart = 0.0, numbers = 0.0;
  for_kl_chunks(parts, dims, count, [&](const KlChunk& chunk) {
    const Tensor x = at::empty(sizes_with(chunk.size, samples.shape), at::kFloat);
    for (std::int64_t k = 0; k < chunk.size; ++k) {
      const std::int64_t row = std::min(chunk.first + k, count - 1) * samples.count / count;
      parts.scale.row(samples, row, {x.data_ptr<float>() + k * dims, to_size(dims)});
    }
    const Posterior found = parts.net->encode(x.to(parts.device));
    const Tensor z = found.draw(kl_noise(parts, seed, chunk.first, chunk.size));
    const Tensor latents = in_memory(z), made = in_memory(parts.net->decode(z));
    const std::int64_t width = latents.numel() / chunk.size;
    for (std::int64_t k = 0; k < chunk.rows * width; ++k) {
      const double value = latents.const_data_ptr<float>()[k];
      sum += value;
      squares += value * value;
    }
    numbers += static_cast<double>(chunk.rows * width);
    for (std::int64_t k = 0; k < chunk.rows * dims; ++k) {
      const double far =
          double{x.const_data_ptr<float>()[k]} - double{made.const_data_ptr<float>()[k]};
      apart += far * far;
    }
  });
  const double mean = sum / numbers;
  const double deviation = std::sqrt(std::max(squares / numbers - mean * mean, 0.0));
  parts.factor = deviation > 0.0 ? 1.0 / deviation : 1.0;
  parts.error = std::sqrt(apart / static_cast<double>(count * dims));
}

std::string KlAutoencoderModel::bytes() const {
  SafetensorsWriter file;
  data::store_card(card_, file);
  kind_.store(file);
  parts_.scale.store(file);
  const double latents[] = {parts_.factor, parts_.error};
  file.add("latents", std::span<const double>(latents));
  parts_.parameters->store(file, parts_.parameters->values(), "autoencoder.");
  return file.bytes();
}

std::shared_ptr<const KlAutoencoderModel> KlAutoencoderModel::load(const KlPlan& plan,
                                                                   const SafetensorsFile& file,
                                                                   const data::ModelCard& card) {
  SampleKind kind = SampleKind::load(file);
  KlParts parts{.parameters = std::make_shared<Parameters>(),
                .scale = Scale::load(file, kind.dims())};
  parts.net = make_kl_net(plan.config, Scope(*parts.parameters), kind.shape);
  const auto latents = file.read<double>("latents", 2);
  parts.factor = latents[0];
  parts.error = latents[1];
  GRADATIM_CHECK(parts.factor > 0.0 && std::isfinite(parts.factor) && parts.error >= 0.0 &&
                     std::isfinite(parts.error),
                 ModelError, 3071, "{}: its scale of latents is damaged", file.source());
  parts.parameters->check(file, "autoencoder.");
  parts.parameters->pack();
  parts.parameters->load(file, "autoencoder.");
  return std::make_shared<KlAutoencoderModel>(plan, card, std::move(kind), std::move(parts));
}

std::shared_ptr<const data::Model> KlAutoencoderModel::on(const std::string& device) const {
  return translated([&]() -> std::shared_ptr<const data::Model> {
    const at::Device place = device_of(device);
    if (place == parts_.device) return shared_from_this();
    KlParts parts = KlParts::make(plan_.config, kind_, parts_.scale, 0, place);
    parts.factor = parts_.factor;
    parts.error = parts_.error;
    parts.parameters->values().copy_(parts_.parameters->values());
    return std::make_shared<KlAutoencoderModel>(plan_, card_, kind_, std::move(parts));
  });
}

}  // namespace gradatim::neural

extern "C" {

gradatim::neural::LoadKlAutoencoder gradatim_load_kl_autoencoder;

std::shared_ptr<const gradatim::data::Model> gradatim_load_kl_autoencoder(
    const gradatim::neural::KlPlan& plan, const gradatim::SafetensorsFile& file,
    const gradatim::data::ModelCard& card) {
  using namespace gradatim::neural;
  return translated([&]() -> std::shared_ptr<const gradatim::data::Model> {
    return KlAutoencoderModel::load(plan, file, card);
  });
}
}
