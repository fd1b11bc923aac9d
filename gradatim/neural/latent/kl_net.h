// KlNet: the encoder and decoder of neural.kl_autoencoder. Of images it is diffusers'
// AutoencoderKL, with its parameter names; of rows, two perceptrons.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "gradatim/neural/model/kl_autoencoder.h"
#include "gradatim/neural/nn/parameters.h"

namespace gradatim::neural {

/// Normal numbers z, [rows, latent...], given x.
struct Posterior {
  Tensor mean, log_variance;  // of which the latter is held in [-30, 20]

  /// By normal noise.
  Tensor draw(const Tensor& noise) const { return mean + (0.5 * log_variance).exp() * noise; }
  /// KL(q || N(0, 1)) in nats, [rows].
  Tensor divergence() const;
};

class KlNet {
 public:
  virtual ~KlNet() = default;

  /// Of one sample's latent: {channels, height, width}, or {numbers}.
  const std::vector<std::int64_t>& latent() const { return latent_; }
  virtual Posterior encode(const Tensor& x) const = 0;
  virtual Tensor decode(const Tensor& z) const = 0;
  /// The same, without gradients: of images row by row, each layer in stripes of whole lines of
  /// about so many pixels, whose norms are those of the whole image.
  virtual Tensor decode_in_stripes(const Tensor& z, std::int64_t pixels) const;
  /// Of the decoder's last layer.
  virtual const Tensor& last_weight() const = 0;
  /// Multiplications and additions of its largest layer, a row.
  virtual double operations() const = 0;

 protected:
  explicit KlNet(std::vector<std::int64_t> latent) : latent_(std::move(latent)) {}

 private:
  std::vector<std::int64_t> latent_;
};

/// For samples {dims} or {channels, height, width}; the parameters are still to be packed.
/// UsageError GRD-1200, GRD-1201 where the settings do not suit the samples.
std::unique_ptr<KlNet> make_kl_net(const KlConfig& config, const Scope& scope,
                                   const std::vector<std::int64_t>& sample);

}  // namespace gradatim::neural
