// FieldModel: a saved model whose field is a network, as a Generator. What it learned by is for
// those who derive: diffusion_model.h, flow/continuous_model.h.
#pragma once

#include <memory>
#include <string>

#include "gradatim/data/model.h"
#include "gradatim/neural/diffusion/diffusion_field.h"
#include "gradatim/neural/train/sample_kind.h"
#include "gradatim/neural/train/scale.h"
#include "gradatim/process/generator.h"

namespace gradatim::neural {

class FieldModel : public data::Model, public process::Generator {
 public:
  FieldModel(data::ModelCard card, SampleKind kind, Scale scale, FieldParts parts)
      : card_(std::move(card)),
        kind_(std::move(kind)),
        scale_(std::move(scale)),
        parts_(std::move(parts)) {}

  const SampleKind& kind() const { return kind_; }
  const Scale& scale() const { return scale_; }
  const FieldParts& parts() const { return parts_; }

  const data::ModelCard& card() const final { return card_; }
  bool takes_samples() const final { return true; }
  std::string bytes() const final;
  std::shared_ptr<const data::Model> on(const std::string& device) const final;

  std::shared_ptr<const process::Field> field() const final;
  std::shared_ptr<const process::Path> path() const final { return parts_.path; }
  std::span<const std::int64_t> shape() const final { return kind_.shape; }
  std::span<const std::string> classes() const final { return kind_.classes; }
  std::span<const std::string> columns() const final { return kind_.columns; }
  bool holds_bytes() const final { return kind_.bytes; }
  void to_data(std::span<float> states) const final { scale_.to_data(states); }
  void to_states(std::span<double> data) const final { scale_.to_states(data); }
  double log_scale() const final { return scale_.log_scale(kind_.dims()); }
  bool takes_texts() const final { return parts_.captions != nullptr; }
  bool starts_from_source() const final { return kind_.source; }
  bool row_by_row() const final { return parts_.net->row_by_row(); }

 protected:
  /// The same model with a network of its own on another device, whose values are still to come.
  virtual std::shared_ptr<const FieldModel> again(at::Device device) const = 0;

 private:
  data::ModelCard card_;
  SampleKind kind_;
  Scale scale_;
  FieldParts parts_;
};

}  // namespace gradatim::neural
