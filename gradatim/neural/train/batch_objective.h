// BatchObjective: an objective whose steps learn from batches, made ahead on a thread of their own.
// Every rank makes all rows, of which it learns its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "gradatim/core/ahead.h"
#include "gradatim/neural/nn/net.h"
#include "gradatim/neural/train/batches.h"
#include "gradatim/neural/train/loop.h"

namespace gradatim::neural {

/// A model and the parameters inside it, which are its own.
struct ModelCopy {
  std::shared_ptr<const data::Model> model;
  Parameters* parameters = nullptr;
};

class BatchObjective : public Objective {
 public:
  /// `batches` gives the batch of a step, on another thread; `make_copy` makes a model of the same
  /// plan with parameters of its own.
  BatchObjective(Parameters& parameters, std::int64_t accumulate,
                 std::function<Batch(std::int64_t step)> batches,
                 std::function<ModelCopy()> make_copy)
      : parameters_(parameters),
        accumulate_(accumulate),
        batches_(std::move(batches)),
        make_copy_(std::move(make_copy)) {}

  Parameters& parameters() final { return parameters_; }
  std::shared_ptr<const data::Model> model(const Tensor& parameters) final;
  void begin(std::int64_t first, std::int64_t last, Replicas& replicas) final;
  double step(std::int64_t step) final;

 protected:
  /// The number of learn()'s call in the whole training of all ranks: what random draws of a pass
  /// depend on.
  std::uint32_t pass() const { return pass_; }
  /// The step that is being made.
  std::int64_t number() const { return number_; }
  /// The sum of the losses of rows [first, first + rows) over all of the batch's rows; adds its
  /// gradients.
  virtual double learn(Batch& batch, std::int64_t first, std::int64_t rows) = 0;

 private:
  Parameters& parameters_;
  std::int64_t accumulate_;
  std::uint32_t pass_ = 0;
  std::int64_t number_ = 0;
  Replicas* replicas_ = nullptr;
  std::function<Batch(std::int64_t)> batches_;
  std::function<ModelCopy()> make_copy_;
  ModelCopy copy_;                     // made for the first look
  std::optional<Ahead<Batch>> ahead_;  // the last member: it uses the others
};

/// Batches by the number of their step.
inline std::function<Batch(std::int64_t)> stream_of(Batches batches) {
  return [made = std::move(batches)](std::int64_t step) mutable { return made.at(step); };
}

/// Rows of a batch's numbers as a tensor over their memory, or on the device.
template <class T>
Tensor rows_of(std::vector<T>& numbers, std::int64_t first, std::vector<std::int64_t> sizes,
               at::Device device) {
  const std::int64_t width = c10::multiply_integers(sizes) / sizes[0];
  return at::from_blob(numbers.data() + first * width, sizes, c10::CppTypeToScalarType<T>::value)
      .to(device);
}
/// What a network sees of rows [first, first + rows).
NetInput input_of(Batch& batch, const NetworkShape& shape, std::int64_t first, std::int64_t rows,
                  at::Device device);

}  // namespace gradatim::neural
