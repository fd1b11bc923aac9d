#include "gradatim/neural/stable/memory.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/byte_size.h"
#include "gradatim/core/error.h"

namespace gradatim::neural {
namespace {

// torch and its kernels, before any network.
constexpr std::int64_t kProgram = 300'000'000;
// Images of a level that are alive at once, counted in a whole pass of each network at its widest
// place and rounded up (bench/RESULTS.md has what was measured).
constexpr std::int64_t kUnetImages = 50, kDecoderImages = 5, kStripedImages = 3;
constexpr std::int64_t kStripePixels = 1 << 16;
constexpr std::int64_t kFloat = 4;

// Weights of a network, one of them read in another form beside.
std::int64_t weights_of(const Parameters& parameters, bool eight_bit) {
  std::int64_t numbers = 0, largest = 0;
  for (const auto& item : parameters.items()) {
    numbers += item.value.numel();
    largest = std::max(largest, item.value.numel());
  }
  return (eight_bit ? numbers : numbers * kFloat) + 2 * kFloat * largest;
}

}  // namespace

MemoryPlan plan_memory(const StableParts& parts, std::int64_t height, std::int64_t width,
                       bool encodes, std::int64_t memory) {
  if (memory == 0) return {};
  const std::int64_t pixels = height * width, latents = pixels / (parts.unit * parts.unit);
  const std::int64_t weights = kProgram + weights_of(parts.unet->parameters(), parts.eight_bit) +
                               weights_of(*parts.autoencoder_parameters, false) +
                               weights_of(*parts.text_parameters, false);
  const std::int64_t one = kUnetImages * kFloat * parts.unet_channels * latents;
  const std::int64_t image = kFloat * parts.decoder_channels * pixels;
  const std::int64_t whole = kDecoderImages * image, striped = kStripedImages * image;
  const std::int64_t encoder = encodes ? whole : 0;  // which is not done in stripes
  MemoryPlan plan;
  const auto fits = [&](std::int64_t more) { return weights + more <= memory; };
  plan.one_by_one = !fits(2 * one);
  if (!fits(whole)) plan.tile = kStripePixels;
  const std::int64_t least = std::max({one, plan.tile > 0 ? striped : whole, encoder});
  GRADATIM_CHECK(fits(least), UsageError, 1225,
                 "an image of {} x {} pixels needs {} of memory, {} of them for weights and the "
                 "program, and {} are allowed; allow more{}{}",
                 width, height, byte_size_text(weights + std::max({one, striped, encoder})),
                 byte_size_text(weights), byte_size_text(memory),
                 fits(0) ? ", or draw a smaller one" : "",
                 parts.eight_bit ? "" : ", or hold weights in 8 bits");
  return plan;
}

}  // namespace gradatim::neural
