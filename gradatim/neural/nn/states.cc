#include "gradatim/neural/nn/states.h"

#include <algorithm>
#include <vector>

namespace gradatim::neural {

using process::HostSpace;

Tensor tensor_of(process::Space& space, const process::Vec& x) {
  if (dynamic_cast<HostSpace<float>*>(&space) != nullptr) {
    return at::from_blob(const_cast<float*>(HostSpace<float>::data(x)), {x.rows(), x.dims()},
                         at::kFloat);
  }
  const Tensor doubles = at::empty({x.rows(), x.dims()}, at::kDouble);
  space.copy_out(x, {doubles.data_ptr<double>(), to_size(doubles.numel())});
  return doubles.to(at::kFloat);
}

Output::Output(process::Space& space, std::int64_t rows, std::int64_t dims) : space_(space) {
  if (auto* host = dynamic_cast<HostSpace<float>*>(&space)) {
    made_ = host->make(rows, dims);
    numbers_ = at::from_blob(HostSpace<float>::writable(made_), {rows, dims}, at::kFloat);
  } else {
    numbers_ = at::empty({rows, dims}, at::kFloat);
    copied_ = true;
  }
}

process::Vec Output::done() const {
  if (!copied_) return made_;
  const Tensor doubles = numbers_.to(at::kDouble);
  return space_.from({doubles.const_data_ptr<double>(), to_size(doubles.numel())}, numbers_.size(0),
                     numbers_.size(1));
}

std::int64_t chunk_rows(const NetworkShape& shape) { return shape.sample.size() == 3 ? 64 : 128; }

Tensor padded(const Tensor& x, std::int64_t first, std::int64_t rows) {
  const std::int64_t there = std::min(rows, x.size(0) - first);
  const Tensor part = x.narrow(0, first, there);
  if (there == rows) return part;
  return at::cat({part, part.narrow(0, there - 1, 1).expand({rows - there, x.size(1)})});
}

Tensor shaped(const Tensor& rows, const NetworkShape& shape) {
  std::vector<std::int64_t> sizes{rows.size(0)};
  sizes.insert(sizes.end(), shape.sample.begin(), shape.sample.end());
  return rows.view(sizes);
}

}  // namespace gradatim::neural
