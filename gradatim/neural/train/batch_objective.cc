#include "gradatim/neural/train/batch_objective.h"

#include <algorithm>

namespace gradatim::neural {

void BatchObjective::begin(std::int64_t first, std::int64_t last) {
  ahead_.emplace([this](std::int64_t step) { return batches_.at(step); }, first, last);
}

std::shared_ptr<const data::Model> BatchObjective::model(const Tensor& parameters) {
  if (copy_.model == nullptr) copy_ = make_copy_();
  copy_.net->parameters().values().copy_(parameters);
  return copy_.model;
}

double BatchObjective::step(std::int64_t number) {
  Batch batch = ahead_->next();
  const std::int64_t part = (batch.rows + accumulate_ - 1) / accumulate_;
  double loss = 0.0;
  for (std::int64_t first = 0; first < batch.rows; first += part) {
    pass_ = static_cast<std::uint32_t>(number * accumulate_ + first / part);
    loss += learn(batch, first, std::min(part, batch.rows - first));
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
  return made;
}

}  // namespace gradatim::neural
