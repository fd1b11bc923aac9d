// NoisedClassifier: a saved model that tells the label of a noised sample and so can lead samples
// of a Generator to it, whatever either is made of.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gradatim/process/generator.h"
#include "gradatim/process/guidance.h"

namespace gradatim::process {

/// From the scale of clean states to that of another model: factor * state + shift.
struct StateMap {
  double factor = 1.0;
  std::vector<double> shift;  // [dims]
};

class NoisedClassifier {
 public:
  virtual ~NoisedClassifier() = default;

  /// ln p(label | x_t) of states on `path`, which `map` takes to its own scale. UsageError GRD-1104
  /// where it has no such label, GRD-1171 where it knows clean samples alone.
  virtual std::shared_ptr<const Energy> energy(std::shared_ptr<const Labels> labels,
                                               std::shared_ptr<const Path> path,
                                               StateMap map) const = 0;
  /// What its last layer makes scores of, of clean samples [rows, dims] in the scale of data:
  /// [rows, width]. Fréchet distances of such compare what samples show, not their pixels.
  virtual std::vector<double> features(std::vector<double> samples) const = 0;
  /// As a Generator's.
  virtual std::span<const std::int64_t> shape() const = 0;
  virtual std::span<const std::string> classes() const = 0;
  virtual std::span<const std::string> columns() const = 0;
  virtual void to_states(std::span<double> data) const = 0;
};

/// The energy that leads a generator's samples, on `path`, to labels of the classifier. UsageError
/// GRD-1172 where their samples have different shapes, GRD-1173 where no one factor leads from the
/// states of one to those of the other.
std::shared_ptr<const Energy> energy_for(const Generator& generator,
                                         const NoisedClassifier& classifier,
                                         std::shared_ptr<const Labels> labels,
                                         std::shared_ptr<const Path> path);

}  // namespace gradatim::process
