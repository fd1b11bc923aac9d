#include "gradatim/neural/train/replicas.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gradatim/core/error.h"
#include "gradatim/neural/dist/data_parallel.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
dist::Group& group_of(const data::FitRequest& request) {
  return request.group == nullptr ? dist::alone() : *request.group;
}

Replicas::Replicas(dist::Group& group, Parameters& parameters, const TrainingConfig& config)
    : group_(group), parameters_(parameters) {
  GRADATIM_CHECK(config.batch_size % group.size() == 0, UsageError, 1185,
                 "{} processes do not divide a batch of {} samples; take a batch_size that is a "
                 "multiple of {}",
                 group.size(), config.batch_size, group.size());
  if (group.size() == 1) return;
  std::vector<Tensor> values;
  for (const auto& item : parameters.items()) values.push_back(item.value);
  const auto members = buckets_of(values, DataParallelOptions().first_bucket_bytes,
                                  DataParallelOptions().bucket_bytes);
  std::vector<Tensor> buckets;
  std::int64_t end = parameters.count();
  for (const auto& bucket : members) {  // each in front of the one before
    const std::int64_t begin = parameters.items()[std::ranges::min(bucket)].offset;
    buckets.push_back(parameters.gradients().narrow(0, begin, end - begin));
    end = begin;
  }
  sum_.emplace(group, members, std::move(buckets), config.gradient_compression);
  parameters.require_gradients(true);
  hooks_.emplace(std::move(values), [this](std::size_t parameter) {
    if (whole_) sum_->ready(parameter);
  });
}

Replicas::Rows Replicas::rows(std::int64_t batch) const {
  const std::int64_t count = batch / group_.size();
  return {group_.rank() * count, count};
}

StepEnd Replicas::finish(StepEnd mine) {
  if (!sum_) return mine;
  const Tensor told = at::empty({3}, at::kDouble);
  double* numbers = told.data_ptr<double>();
  numbers[0] = mine.loss;
  numbers[1] = first() && mine.stop ? 1.0 : 0.0;
  numbers[2] = first() && mine.keep ? 1.0 : 0.0;
  sum_->finish(told);
  whole_ = false;
  return {numbers[0], numbers[1] > 0.0, numbers[2] > 0.0};
}

void Replicas::require_equal(const Tensor& kept) const {
  const std::array<Tensor, 2> all{parameters_.values(), kept};
  neural::require_equal(group_, "set of parameters", all);
}

}  // namespace gradatim::neural
