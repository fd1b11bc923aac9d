// The second training of neural.vq: the prior, by maximum likelihood of the samples' codes.
#include "gradatim/core/hash.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/memory.h"
#include "gradatim/neural/quantize/vq_model.h"
#include "gradatim/neural/size.h"
#include "gradatim/neural/train/batch_objective.h"
#include "gradatim/neural/train/identity.h"
#include "gradatim/neural/train/stage.h"
#include "gradatim/neural/train/start.h"

namespace gradatim::neural {
namespace {

constexpr const char* kPriorStage = "prior";

// Codes of samples and their labels in the order of training.
class CodeBatches {
 public:
  CodeBatches(const std::vector<std::int64_t>& codes, const data::Samples& samples,
              const TrainingConfig& config, std::uint64_t seed)
      : codes_(codes),
        samples_(samples),
        length_(std::ssize(codes) / samples.count),
        rows_(config.batch_size),
        order_(samples.count, config.shuffle, seed, Stream::order) {}

  Batch at(std::int64_t step) {
    Batch batch{.rows = rows_};
    for (std::int64_t k = 0; k < rows_; ++k) {
      const std::int64_t index = order_.at(step * rows_ + k);
      const auto first = codes_.begin() + index * length_;
      batch.codes.insert(batch.codes.end(), first, first + length_);
      if (!samples_.labels.empty()) batch.labels.push_back(samples_.labels[to_size(index)]);
    }
    return batch;
  }

 private:
  const std::vector<std::int64_t>& codes_;
  const data::Samples& samples_;
  std::int64_t length_, rows_;
  Order order_;
};

class PriorObjective final : public BatchObjective {
 public:
  PriorObjective(const TrainingConfig& config, std::function<Batch(std::int64_t)> batches,
                 const VqParts& parts, std::function<ModelCopy()> make_copy)
      : BatchObjective(parts.prior->parameters(), config.accumulate, std::move(batches),
                       std::move(make_copy)),
        prior_(*parts.prior),
        device_(parts.device),
        seed_(parts.prior->shape().seed) {
    parameters().require_gradients(true);
  }

 protected:
  // Nats a code.
  double learn(Batch& batch, std::int64_t first, std::int64_t rows) override {
    const std::int64_t length = prior_.shape().length();
    const Tensor codes = rows_of(batch.codes, first, {rows, length}, device_);
    Tensor labels;
    if (prior_.shape().classes > 0) labels = rows_of(batch.labels, first, {rows}, device_);
    const PooledMemory pooled;
    Tensor loss;
    {
      const at::AutoGradMode graph(true);
      loss = prior_.log_prob(codes, labels, Philox(seed_, Stream::dropout_units, pass())).sum() /
             -static_cast<double>(batch.rows * length);
    }
    // Gradient mode off: gradients are added in place, into the buffer that they look into.
    torch::autograd::backward({loss}, {});
    return loss.item<double>();
  }

 private:
  PriorNet& prior_;
  at::Device device_;
  std::uint64_t seed_;
};

}  // namespace

void fit_prior(const VqPlan& plan, const data::FitRequest& request, const SampleKind& kind,
               VqParts& parts, data::ModelCard& card) {
  const data::Samples& samples = *request.samples;
  const auto codes = codes_of(VqModel(plan, card, kind, parts), samples);
  const CodeShape shape = parts.net->codes(std::ssize(kind.classes), request.seed);
  parts.prior = make_prior(*plan.prior, shape, parts.device);
  const TrainingConfig& config = plan.prior->training().config();
  const TorchThreads threads(
      6.0 * static_cast<double>(parts.prior->parameters().count()) *
      static_cast<double>(shape.length() * config.batch_size / group_of(request).size()));
  CodeBatches batches(codes, samples, config, request.seed);
  PriorObjective objective(
      config, [&](std::int64_t step) { return batches.at(step); }, parts,
      [&] {
        VqParts own = parts;
        own.prior = make_prior(*plan.prior, shape, parts.device);
        return ModelCopy{std::make_shared<VqModel>(plan, card, kind, own),
                         &own.prior->parameters()};
      });
  const data::FitRequest stage = request_of_stage(request, kPriorStage);
  tell_start(stage, card.settings.parts.at("prior"), parts.prior->parameters());
  Hash hash;
  for (const std::int64_t code : codes) hash.add(static_cast<std::uint64_t>(code));
  Trained trained = train(objective, config, stage,
                          identity_of_stage(identity_of(request, card.settings), hash.value()));
  parts.prior->parameters().values().copy_(trained.parameters);
  add_history(kPriorStage, std::move(trained.history), card);
}

}  // namespace gradatim::neural
