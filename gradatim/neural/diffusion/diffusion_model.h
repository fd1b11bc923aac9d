// DiffusionModel: what neural.diffusion saves and samples from.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gradatim/data/model.h"
#include "gradatim/neural/diffusion/diffusion_field.h"
#include "gradatim/neural/model/diffusion.h"
#include "gradatim/neural/train/batches.h"
#include "gradatim/neural/train/sample_kind.h"
#include "gradatim/neural/train/scale.h"
#include "gradatim/process/generator.h"

namespace gradatim::neural {

BatchPlan batch_plan(const DiffusionPlan& plan);
/// A network for a plan and its samples, with initial values, or in memory with those of a model's
/// file.
FieldParts field_parts(const DiffusionPlan& plan, const SampleKind& kind, std::uint64_t seed,
                       at::Device device);
FieldParts field_parts(const DiffusionPlan& plan, const SampleKind& kind,
                       const SafetensorsFile& file);

class DiffusionModel final : public data::Model, public process::Generator {
 public:
  DiffusionModel(DiffusionPlan plan, data::ModelCard card, SampleKind kind, Scale scale,
                 FieldParts parts);
  static std::shared_ptr<const DiffusionModel> load(const DiffusionPlan& plan,
                                                    const SafetensorsFile& file,
                                                    const data::ModelCard& card);

  const SampleKind& kind() const { return kind_; }
  const Scale& scale() const { return scale_; }
  const FieldParts& parts() const { return parts_; }

  const data::ModelCard& card() const override { return card_; }
  bool takes_samples() const override { return true; }
  std::vector<std::pair<std::string, double>> evaluate_samples(const data::Samples& samples,
                                                               std::uint64_t seed) const override;
  std::string bytes() const override;
  std::shared_ptr<const data::Model> on(const std::string& device) const override;

  std::shared_ptr<const process::Field> field() const override;
  std::shared_ptr<const process::Path> path() const override { return plan_.path; }
  api::Settings sampler() const override;
  std::span<const std::int64_t> shape() const override { return kind_.shape; }
  std::span<const std::string> classes() const override { return kind_.classes; }
  std::span<const std::string> columns() const override { return kind_.columns; }
  bool holds_bytes() const override { return kind_.bytes; }
  void to_data(std::span<float> states) const override { scale_.to_data(states); }
  void to_states(std::span<double> data) const override { scale_.to_states(data); }
  double log_scale() const override;
  bool starts_from_source() const override { return kind_.source; }
  bool row_by_row() const override { return parts_.net->row_by_row(); }

 private:
  DiffusionPlan plan_;
  data::ModelCard card_;
  SampleKind kind_;
  Scale scale_;
  FieldParts parts_;
};

}  // namespace gradatim::neural
