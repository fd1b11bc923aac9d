#include "gradatim/neural/quantize/codebook.h"

#include <algorithm>
#include <numeric>

#include "gradatim/neural/quantize/codebook_function.h"
#include "gradatim/neural/quantize/k_means.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

Tensor of_length_one(const Tensor& z) {
  return z / z.norm(2, {1}, /*keepdim=*/true).clamp_min(1e-12);
}

std::vector<double> numbers_of(const Tensor& tensor) {
  const auto* const first = tensor.const_data_ptr<float>();
  return {first, first + tensor.numel()};
}

// N' of N.
std::vector<double> smoothed(const std::vector<double>& count, double epsilon) {
  const double all = std::accumulate(count.begin(), count.end(), 0.0);
  const double scale = all / (all + static_cast<double>(count.size()) * epsilon);
  std::vector<double> made;
  for (const double each : count) made.push_back((each + epsilon) * scale);
  return made;
}

}  // namespace

Codebook::Codebook(const Scope& scope, std::int64_t dims, const CodebookConfig& config,
                   std::int64_t number)
    : config_(config), number_(number) {
  codebook_ = scope.add("codebook", {config.codes, dims}, Init::uniform(1.0 / config.codes));
  if (!config.learned) count_ = scope.add("count", {config.codes}, Init::constant(1.0));
}

Tensor Codebook::table() const { return config_.normalise ? of_length_one(codebook_) : codebook_; }

void Codebook::start(const Tensor& z, std::uint64_t seed) {
  if (config_.start_iterations == 0) return;
  const at::NoGradGuard plain;
  const Philox draws(seed, Stream::code_start, static_cast<std::uint32_t>(number_));
  const auto [means, share] = k_means(config_.normalise ? of_length_one(z) : z, config_.codes,
                                      config_.start_iterations, draws);
  codebook_.copy_(means);
  // 1 in the mean, which a few batches outweigh: encoders move fast at first.
  if (count_.defined()) count_.copy_(share * static_cast<double>(config_.codes));
}

std::vector<bool> Codebook::dead() const {
  const auto count = numbers_of(count_);
  const double mean =
      std::accumulate(count.begin(), count.end(), 0.0) / static_cast<double>(count.size());
  std::vector<bool> made;
  for (const double each : count) made.push_back(each < config_.restart_below * mean);
  return made;
}

Quantized Codebook::quantize(const Tensor& given, const QuantizeStep& step) {
  const Tensor z = (config_.normalise ? of_length_one(given) : given).contiguous();
  const Tensor all = config_.learned ? table() : table().detach();
  const Found found = find_nearest(z.detach(), all.detach());
  if (!config_.learned) note(z.detach(), found.codes, step);
  auto [vectors, loss] = straight_through(z, all, found, config_.commitment);
  return {found.codes, vectors, loss};
}

// Adds the sums of these vectors to the gradients.
void Codebook::note(const Tensor& z, const Tensor& codes, const QuantizeStep& step) {
  const at::NoGradGuard plain;
  const Tensor sums = codebook_.mutable_grad(), counts = count_.mutable_grad();
  const auto is_dead = dead();
  Tensor counted = codes;
  if (std::ranges::find(is_dead, true) != is_dead.end()) {
    counted = codes.clone();
    const auto of = counted.data_ptr<std::int64_t>();
    for (std::int64_t row = 0; row < z.size(0); ++row) {
      if (is_dead[to_size(of[row])]) of[row] = -1;
    }
  }
  add_by_code(z, counted, sums);
  const auto* const of = counted.const_data_ptr<std::int64_t>();
  auto* const count = counts.data_ptr<float>();
  for (std::int64_t row = 0; row < z.size(0); ++row) {
    if (of[row] >= 0) count[of[row]] += 1.0F;
  }
  const Philox draws(step.seed, Stream::code_restart, static_cast<std::uint32_t>(step.step));
  for (std::int64_t code = 0; code < size(); ++code) {
    if (!is_dead[to_size(code)]) continue;
    const auto place = static_cast<std::uint64_t>(number_ * size() + code);
    const std::int64_t row =
        std::int64_t{draws.below(static_cast<std::uint32_t>(step.all), place)} - step.first;
    if (row >= 0 && row < z.size(0)) sums[code].copy_(z[row]);
  }
}

void Codebook::update() {
  if (config_.learned) return;
  const at::NoGradGuard plain;
  const Tensor sums = codebook_.mutable_grad(), counts = count_.mutable_grad();
  const auto is_dead = dead();
  const auto n = numbers_of(counts);
  auto count = numbers_of(count_);
  const auto before = smoothed(count, config_.epsilon);
  const double mean =
      std::accumulate(count.begin(), count.end(), 0.0) / static_cast<double>(count.size());
  for (std::size_t k = 0; k < count.size(); ++k) {
    count[k] = is_dead[k] ? kRestartMargin * config_.restart_below * mean
                          : config_.decay * count[k] + (1.0 - config_.decay) * n[k];
  }
  const auto after = smoothed(count, config_.epsilon);
  const std::int64_t dims = codebook_.size(1);
  auto* e = codebook_.data_ptr<float>();
  const auto* sum = sums.const_data_ptr<float>();
  for (std::size_t k = 0; k < count.size(); ++k, e += dims, sum += dims) {
    const double keep = is_dead[k] ? 0.0 : config_.decay * before[k] / after[k];
    const double take = is_dead[k] ? 1.0 : (1.0 - config_.decay) / after[k];
    for (std::int64_t i = 0; i < dims; ++i) {
      e[i] = static_cast<float>(keep * double{e[i]} + take * double{sum[i]});
    }
    count_.data_ptr<float>()[k] = static_cast<float>(count[k]);
  }
  sums.zero_();
  counts.zero_();
}

Tensor Codebook::codes(const Tensor& z) const {
  return nearest_codes(config_.normalise ? of_length_one(z) : z, table());
}

Tensor Codebook::decode(const Tensor& codes) const { return table().index_select(0, codes); }

}  // namespace gradatim::neural
