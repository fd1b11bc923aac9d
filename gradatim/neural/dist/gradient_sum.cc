#include "gradatim/neural/dist/gradient_sum.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/core/hash.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

std::span<std::byte> bytes_of(const Tensor& tensor) {
  return {static_cast<std::byte*>(tensor.data_ptr()), tensor.nbytes()};
}

// A contiguous copy in the processor's memory, or the tensor itself where it is that.
Tensor in_memory(const Tensor& tensor) { return tensor.detach().to(at::kCPU).contiguous(); }

}  // namespace

std::vector<std::vector<std::size_t>> buckets_of(std::span<const Tensor> parameters,
                                                 std::int64_t first, std::int64_t most) {
  std::vector<std::vector<std::size_t>> made;
  std::int64_t bytes = 0;
  for (std::size_t k = parameters.size(); k-- > 0;) {
    const Tensor& next = parameters[k];
    const bool full = bytes >= (made.size() == 1 ? first : most);
    const bool alike = !made.empty() &&
                       parameters[made.back()[0]].scalar_type() == next.scalar_type() &&
                       parameters[made.back()[0]].device() == next.device();
    if (full || !alike) {
      made.emplace_back();
      bytes = 0;
    }
    made.back().push_back(k);
    bytes += static_cast<std::int64_t>(next.nbytes());
  }
  return made;
}

GradientSum::GradientSum(dist::Group& group, std::vector<std::vector<std::size_t>> members,
                         std::vector<Tensor> buckets, GradientCompression compression,
                         std::function<void(std::size_t)> before_start)
    : group_(group),
      members_(std::move(members)),
      buckets_(std::move(buckets)),
      compression_(compression),
      before_start_(std::move(before_start)) {
  auto* const devices = dynamic_cast<DeviceGroup*>(&group);
  const bool together = std::ranges::all_of(
      buckets_, [&](const Tensor& bucket) { return bucket.device() == buckets_[0].device(); });
  const at::Device device = together && !buckets_.empty() ? buckets_[0].device() : at::kCPU;
  if (devices != nullptr && devices->adds_on(device)) devices_ = devices;
  std::size_t parameters = 0;
  for (const auto& bucket : members_) parameters += bucket.size();
  bucket_of_.resize(parameters);
  for (std::size_t b = 0; b < members_.size(); ++b) {
    for (const std::size_t parameter : members_[b]) bucket_of_[parameter] = b;
  }
  begin();
}

GradientSum::~GradientSum() {
  // An error ended the pass, and what is under way may still write: its memory is never given back.
  if (!works_.empty()) new std::vector<Tensor>(std::move(sent_));
}

void GradientSum::begin() {
  works_.clear();
  sent_.clear();
  ready_.assign(bucket_of_.size(), false);
  missing_.clear();
  for (const auto& bucket : members_) missing_.push_back(bucket.size());
}

void GradientSum::ready(std::size_t parameter) {
  GRADATIM_CHECK(!ready_[parameter], UsageError, 1187,
                 "a second backward pass began before the gradients of the first were finished; "
                 "call finish() behind every pass, or hold no_sync() in all but the last");
  ready_[parameter] = true;
  --missing_[bucket_of_[parameter]];
  while (works_.size() < buckets_.size() && missing_[works_.size()] == 0) start_next();
}

void GradientSum::start_next() {
  const std::size_t next = works_.size();
  if (before_start_) before_start_(next);
  const Tensor& bucket = buckets_[next];
  const bool compressed =
      compression_ == GradientCompression::bfloat16 && bucket.scalar_type() == at::kFloat;
  start(bucket.to(devices_ != nullptr ? bucket.device() : at::Device(at::kCPU),
                  compressed ? at::kBFloat16 : bucket.scalar_type()),
        devices_);
}

void GradientSum::start(Tensor numbers, DeviceGroup* devices) {
  sent_.push_back(std::move(numbers));
  const Tensor& sent = sent_.back();
  works_.push_back(devices != nullptr ? devices->start_device_sum(sent)
                                      : group_.start_all_reduce(numbers_of(sent)));
}

void GradientSum::finish(const Tensor& also) {
  while (works_.size() < buckets_.size()) start_next();
  if (also.defined()) start(also, nullptr);
  for (std::size_t b = 0; b < works_.size(); ++b) {
    works_[b]->wait();
    if (b < buckets_.size() && !sent_[b].is_same(buckets_[b])) buckets_[b].copy_(sent_[b]);
  }
  begin();
}

dist::Numbers numbers_of(const Tensor& tensor) {
  GRADATIM_ASSERT(tensor.is_cpu() && tensor.is_contiguous());
  const auto of = [&](dist::NumberType type) {
    return dist::Numbers(type, tensor.data_ptr(), tensor.numel());
  };
  switch (tensor.scalar_type()) {
    case at::kFloat: return of(dist::NumberType::float32);
    case at::kDouble: return of(dist::NumberType::float64);
    case at::kBFloat16: return of(dist::NumberType::bfloat16);
    default:
      throw UsageError(1186, fmt::format("ranks cannot add up gradients of {}; take float, double "
                                         "or bfloat16 parameters",
                                         c10::toString(tensor.scalar_type())));
  }
}

void take_first(dist::Group& group, const Tensor& tensor) {
  if (group.size() == 1 || tensor.numel() == 0) return;
  const Tensor memory = in_memory(tensor);
  group.broadcast(bytes_of(memory), 0);
  const at::NoGradGuard plain;
  if (memory.data_ptr() != tensor.data_ptr()) tensor.detach().copy_(memory);
}

void require_equal(dist::Group& group, std::string_view what, std::span<const Tensor> tensors) {
  if (group.size() == 1) return;
  Hash hash;
  for (const Tensor& tensor : tensors) {
    const Tensor memory = in_memory(tensor);
    hash.add(std::string_view(static_cast<const char*>(memory.data_ptr()), memory.nbytes()));
  }
  dist::require_equal(group, what, fmt::format("hash {:016x}", hash.value()));
}

}  // namespace gradatim::neural
