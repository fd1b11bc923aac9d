#include "gradatim/neural/train/batch_objective.h"

#include <algorithm>

namespace gradatim::neural {

void BatchObjective::begin(std::int64_t first, std::int64_t last, Replicas& replicas) {
  replicas_ = &replicas;
  ahead_.emplace([this](std::int64_t step) { return batches_(step); }, first, last);
}

std::shared_ptr<const data::Model> BatchObjective::model(const Tensor& parameters) {
  if (copy_.model == nullptr) copy_ = make_copy_();
  // Of what is learned for the training alone, behind them, the model has nothing.
  copy_.parameters->values().copy_(parameters.narrow(0, 0, copy_.parameters->count()));
  return copy_.model;
}

double BatchObjective::step(std::int64_t number) {
  Batch batch = ahead_->next();
  number_ = number;
  const auto own = replicas_->rows(batch.rows);
  const std::int64_t part = (own.count + accumulate_ - 1) / accumulate_;
  const dist::Group& group = replicas_->group();
  double loss = 0.0;
  // As in a process alone that accumulates as many parts as all ranks do.
  std::int64_t pass = (number * group.size() + group.rank()) * accumulate_;
  for (std::int64_t done = 0; done < own.count; done += part) {
    pass_ = static_cast<std::uint32_t>(pass++);
    if (done + part >= own.count) replicas_->last_part();
    loss += learn(batch, own.first + done, std::min(part, own.count - done));
  }
  return loss;
}

NetInput input_of(Batch& batch, const NetworkShape& shape, std::int64_t first, std::int64_t rows,
                  at::Device device) {
  std::vector<std::int64_t> sizes{rows};
  sizes.insert(sizes.end(), shape.sample.begin(), shape.sample.end());
  NetInput made{
      rows_of(batch.x, first, sizes, device), rows_of(batch.t, first, {rows}, device), {}};
  if (shape.classes > 0) made.labels = rows_of(batch.labels, first, {rows}, device);
  if (shape.text.tokens > 0) {
    made.tokens = rows_of(batch.tokens, first, {rows, shape.text.tokens}, device);
  }
  return made;
}

}  // namespace gradatim::neural
