// Generator: a saved model that can be sampled from, whatever it is made of.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/process/field.h"
#include "gradatim/process/sample_space.h"

namespace gradatim::process {

class Generator : public SampleSpace {
 public:
  /// The field, in the prediction that it was trained with; it belongs to one thread at a time.
  virtual std::shared_ptr<const Field> field() const = 0;
  /// The path that it was trained on.
  virtual std::shared_ptr<const Path> path() const = 0;
  /// Path, prediction and other parts of a sampler that suit it ("process.sampler").
  virtual api::Settings sampler() const = 0;
  /// From the scale of states to that of the data, and back, in place; [rows, dims].
  virtual void to_data(std::span<float> states) const = 0;
  virtual void to_states(std::span<double> data) const = 0;
  /// The shape of a state, where that is another than a sample's; then states_of() and data_of()
  /// take one to the other, and there are no densities.
  virtual std::span<const std::int64_t> state_shape() const { return shape(); }
  virtual std::vector<float> data_of(std::vector<float> states) const {
    to_data(states);
    return states;
  }
  virtual std::vector<double> states_of(std::vector<double> data) const {
    to_states(data);
    return data;
  }
  /// ln |d state / d data| of a sample.
  virtual double log_scale() const = 0;
  /// Whether densities and encodings go by the field as a velocity in plain time (velocity.h).
  virtual bool plain_time() const { return false; }
  /// Whether samples are asked for by texts.
  virtual bool takes_texts() const { return false; }
  /// Whether sampling starts from rows that the caller gives, not from normal noise.
  virtual bool starts_from_source() const { return false; }
  /// Whether rows are computed one by one, whatever lies beside them, so that threads do best with
  /// rows of their own from noise to data; then they may ask one field together.
  virtual bool row_by_row() const { return false; }
};

/// Numbers of one state.
inline std::int64_t state_dims_of(const Generator& generator) {
  return extents_of(generator.state_shape());
}

}  // namespace gradatim::process
