#include "gradatim/neural/latent/kl_objective.h"

#include "gradatim/core/normal.h"
#include "gradatim/neural/nn/memory.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

using torch::autograd::grad;

// Of the discriminator's weight (Esser, Rombach and Ommer 2021).
constexpr double kMostWeight = 1e4, kLeastNorm = 1e-6;

double norm_of(const Tensor& x) { return x.norm().item<double>(); }

}  // namespace

KlBatches::KlBatches(std::shared_ptr<const data::Samples> samples, const KlPlan& plan,
                     const Scale& scale, std::int64_t latent, std::uint64_t seed)
    : samples_(std::move(samples)),
      plan_(plan),
      scale_(scale),
      latent_(latent),
      seed_(seed),
      order_(samples_->count, plan.training->config().shuffle, seed, Stream::order) {}

Batch KlBatches::at(std::int64_t step) {
  const std::int64_t rows = plan_.training->config().batch_size, dims = samples_->size();
  const bool judged = step >= plan_.config.adversarial_start;
  const double weight = judged ? plan_.config.adversarial_weight : 0.0;
  Batch batch{.rows = rows,
              .x = std::vector<float>(to_size(rows * dims)),
              .target = std::vector<float>(to_size(rows * latent_)),
              .weight = std::vector<float>(to_size(rows), static_cast<float>(weight))};
  for (std::int64_t k = 0; k < rows; ++k) {
    scale_.row(*samples_, order_.at(step * rows + k),
               std::span(batch.x).subspan(to_size(k * dims), to_size(dims)));
  }
  std::vector<double> noise(batch.target.size());
  normals(Philox(seed_, Stream::posterior, static_cast<std::uint32_t>(step)), 0, noise);
  batch.target.assign(noise.begin(), noise.end());
  return batch;
}

KlTrained KlTrained::make(const KlConfig& config, const std::vector<std::int64_t>& sample,
                          std::uint64_t seed, at::Device device) {
  KlTrained made;
  const Scope root(*made.parameters);
  made.net = make_kl_net(config, root, sample);
  made.own = made.parameters->items().size();
  if (config.adversarial_weight > 0.0) {
    made.discriminator.emplace(config, root / "discriminator", sample);
  }
  made.parameters->pack(device);
  made.parameters->init(seed);
  return made;
}

KlObjective::KlObjective(const KlPlan& plan, std::function<Batch(std::int64_t)> batches,
                         KlTrained& trained, std::vector<std::int64_t> sample, at::Device device,
                         std::function<ModelCopy()> make_copy)
    : BatchObjective(*trained.parameters, plan.training->config().accumulate, std::move(batches),
                     std::move(make_copy)),
      config_(plan.config),
      trained_(trained),
      sample_(std::move(sample)),
      device_(device) {
  trained_.parameters->require_gradients(true);
}

double KlObjective::learn(Batch& batch, std::int64_t first, std::int64_t rows) {
  const PooledMemory pooled;
  const auto sizes = [rows](const std::vector<std::int64_t>& shape) {
    std::vector<std::int64_t> all{rows};
    all.insert(all.end(), shape.begin(), shape.end());
    return all;
  };
  const Tensor x = rows_of(batch.x, first, sizes(sample_), device_);
  const Tensor noise = rows_of(batch.target, first, sizes(trained_.net->latent()), device_);
  // Means over all numbers of the batch.
  const double scale = 1.0 / static_cast<double>(batch.rows * c10::multiply_integers(sample_));
  Tensor decoded, apart, divergence, reconstruction, loss;
  {
    const at::AutoGradMode graph(true);
    const Posterior found = trained_.net->encode(x);
    decoded = trained_.net->decode(found.draw(noise));
    apart = config_.reconstruction == Reconstruction::squared ? (decoded - x).square()
                                                              : (decoded - x).abs();
    divergence = found.divergence();
    reconstruction = apart.sum() * scale;
    loss = reconstruction + divergence.sum() * (scale * config_.kl_weight);
  }
  const double weight = double{batch.weight[to_size(first)]};
  if (weight > 0.0) {
    learn_against(x, decoded, loss, reconstruction, weight,
                  static_cast<double>(rows) / static_cast<double>(batch.rows));
  } else {
    // Gradient mode off: gradients are added in place, into the buffer that they look into.
    torch::autograd::backward({loss});
  }
  const auto sum = [](const Tensor& each) { return each.detach().sum(at::kDouble).item<double>(); };
  return scale * (sum(apart) + config_.kl_weight * sum(divergence));
}

// The decoder sees the discriminator's gradient by what it decoded, held as large at its last layer
// as that of the reconstruction; the discriminator sees no further than that.
void KlObjective::learn_against(const Tensor& x, const Tensor& decoded, const Tensor& loss,
                                const Tensor& reconstruction, double weight, double share) {
  const Tensor seen = decoded.detach().requires_grad_();
  Tensor judged, fooled, told_apart;
  {
    const at::AutoGradMode graph(true);
    judged = (*trained_.discriminator)(seen);
    fooled = generator_loss(judged) * share;
    told_apart = discriminator_loss((*trained_.discriminator)(x), judged) * share;
  }
  const Tensor by_decoded = grad({fooled}, {seen}, {}, true).front();
  const Tensor& last = trained_.net->last_weight();
  const double wanted = norm_of(grad({reconstruction}, {last}, {}, true).front());
  const double found = norm_of(grad({decoded}, {last}, {by_decoded}, true).front());
  const double balance = std::min(wanted / (found + kLeastNorm), kMostWeight);
  torch::autograd::backward({loss, decoded},
                            {at::ones_like(loss), by_decoded * (weight * balance)});
  std::vector<Tensor> own;
  const auto& items = trained_.parameters->items();
  for (std::size_t k = trained_.own; k < items.size(); ++k) own.push_back(items[k].value);
  torch::autograd::backward({told_apart}, {}, std::nullopt, false, own);
}

}  // namespace gradatim::neural
