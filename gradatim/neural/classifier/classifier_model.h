// ClassifierModel: what neural.classifier saves, predicts with and guides by.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gradatim/data/model.h"
#include "gradatim/neural/classifier/classifier_energy.h"
#include "gradatim/neural/model/classifier.h"
#include "gradatim/neural/train/sample_kind.h"
#include "gradatim/neural/train/scale.h"

namespace gradatim::neural {

/// A network for a plan and its samples, with initial values.
ClassifierParts classifier_parts(const ClassifierPlan& plan, const SampleKind& kind,
                                 const Tensor& log_shares, std::uint64_t seed, at::Device device);

class ClassifierModel final : public data::Model, public process::NoisedClassifier {
 public:
  ClassifierModel(ClassifierPlan plan, data::ModelCard card, SampleKind kind, Scale scale,
                  ClassifierParts parts);
  static std::shared_ptr<const ClassifierModel> load(const ClassifierPlan& plan,
                                                     const SafetensorsFile& file,
                                                     const data::ModelCard& card);

  const data::ModelCard& card() const override { return card_; }
  bool takes_samples() const override { return true; }
  /// Chances of the classes.
  data::Predictions predict_samples(const data::Samples& samples) const override;
  /// accuracy and log_loss. DataError GRD-2026, GRD-2092 where labels are unknown or missing.
  std::vector<std::pair<std::string, double>> evaluate_samples(const data::Samples& samples,
                                                               std::uint64_t seed) const override;
  std::string bytes() const override;
  std::shared_ptr<const data::Model> on(const std::string& device) const override;

  std::shared_ptr<const process::Energy> energy(std::shared_ptr<const process::Labels> labels,
                                                std::shared_ptr<const process::Path> path,
                                                process::StateMap map) const override;
  std::vector<double> features(std::vector<double> samples) const override;
  std::span<const std::int64_t> shape() const override { return kind_.shape; }
  std::span<const std::string> classes() const override { return kind_.classes; }
  std::span<const std::string> columns() const override { return kind_.columns; }
  void to_states(std::span<double> data) const override { scale_.to_states(data); }

 private:
  /// What `say` makes of a chunk of clean rows, all of them, [count, columns], float64; `fill`
  /// writes a row's state.
  Tensor of_clean(std::int64_t count,
                  const std::function<void(std::int64_t row, std::span<float> state)>& fill,
                  const std::function<Tensor(const NetInput&)>& say) const;
  /// ln p of clean samples, [count, classes], float64.
  Tensor log_chances(const data::Samples& samples) const;

  ClassifierPlan plan_;
  data::ModelCard card_;
  SampleKind kind_;
  Scale scale_;
  ClassifierParts parts_;
};

}  // namespace gradatim::neural
