// VqModel: what neural.vq saves: codes of samples, samples of codes, and the prior of these.
//
// Rows go through the networks in chunks of a fixed number, the last one padded: a row's bits do
// not depend on how many are asked for.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gradatim/data/model.h"
#include "gradatim/neural/flow/given.h"
#include "gradatim/neural/quantize/observation.h"
#include "gradatim/neural/quantize/prior_net.h"
#include "gradatim/neural/quantize/vq_net.h"
#include "gradatim/neural/train/sample_kind.h"
#include "gradatim/neural/train/scale.h"
#include "gradatim/process/coder.h"

namespace gradatim::neural {

struct VqParts {
  std::shared_ptr<VqNet> net;
  std::shared_ptr<PriorNet> prior;  // null while the autoencoder is still learning
  Scale scale;
  Given labels;  // how often each was learned
  Observation observation;
  at::Device device = at::kCPU;
};

class VqModel final : public data::Model, public process::Coder {
 public:
  VqModel(VqPlan plan, data::ModelCard card, SampleKind kind, VqParts parts);
  static std::shared_ptr<const VqModel> load(const VqPlan& plan, const SafetensorsFile& file,
                                             const data::ModelCard& card);

  const data::ModelCard& card() const override { return card_; }
  bool takes_samples() const override { return true; }
  std::vector<std::pair<std::string, double>> evaluate_samples(const data::Samples& samples,
                                                               std::uint64_t seed) const override;
  std::string bytes() const override;
  std::shared_ptr<const data::Model> on(const std::string& device) const override;

  std::span<const std::int64_t> shape() const override { return kind_.shape; }
  std::span<const std::string> classes() const override { return kind_.classes; }
  std::span<const std::string> columns() const override { return kind_.columns; }
  bool holds_bytes() const override { return kind_.bytes; }
  std::span<const std::int64_t> code_shape() const override { return code_shape_; }
  std::span<const std::int64_t> code_sizes() const override { return code_sizes_; }
  std::vector<std::int64_t> encode(std::span<const double> data) const override;
  std::vector<float> decode(std::span<const std::int64_t> codes) const override;
  std::vector<std::int64_t> sample_codes(const process::CodesRequest& request) const override;
  process::Likelihood log_prob(std::span<const double> data,
                               const process::CodesRequest& request) const override;

  const VqParts& parts() const { return parts_; }

 private:
  std::int64_t length() const { return static_cast<std::int64_t>(code_sizes_.size()); }
  void for_chunks(std::int64_t rows,
                  const std::function<void(std::int64_t first, std::int64_t rows)>& f) const;
  void check(const process::CodesRequest& request, std::int64_t rows) const;
  Tensor prior_nats(std::span<const std::int64_t> codes, std::int64_t first, std::int64_t rows,
                    const process::CodesRequest& request) const;
  std::vector<double> bounds(std::span<const double> data, std::span<const std::int64_t> codes,
                             std::span<const float> decoded,
                             const process::CodesRequest& request) const;
  double states_loss(std::vector<double> data, std::span<const float> decoded) const;

  VqPlan plan_;
  data::ModelCard card_;
  SampleKind kind_;
  VqParts parts_;
  std::vector<std::int64_t> code_shape_, code_sizes_;
};

/// Rows that go through the networks at once.
std::int64_t vq_chunk(const SampleKind& kind);
/// Samples [rows, dims] as they are.
std::vector<double> numbers_of(const data::Samples& samples, std::int64_t first, std::int64_t rows);
/// Codes [samples, length] of all samples, by an autoencoder that has learned.
std::vector<std::int64_t> codes_of(const VqModel& model, const data::Samples& samples);

/// Behind the autoencoder's training: fits the prior on the samples' codes, and completes `parts`
/// and `card`.
void fit_prior(const VqPlan& plan, const data::FitRequest& request, const SampleKind& kind,
               VqParts& parts, data::ModelCard& card);

}  // namespace gradatim::neural
