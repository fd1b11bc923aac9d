#include "gradatim/neural/flow/permutation.h"

#include <algorithm>
#include <numeric>

#include "gradatim/core/philox.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

// By the place's number alone, so that a file needs not keep it. Of two numbers or more, another
// order than they have.
std::vector<std::int64_t> drawn_order(std::int64_t dims, std::int64_t number) {
  std::vector<std::int64_t> order(to_size(dims));
  const Philox draws(to_size(dims), Stream::permutation, static_cast<std::uint32_t>(number));
  std::uint64_t index = 0;
  do {
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t left = order.size(); left > 1; --left) {
      std::swap(order[left - 1], order[draws.below(static_cast<std::uint32_t>(left), index++)]);
    }
  } while (dims > 1 && std::ranges::is_sorted(order));
  return order;
}

}  // namespace

Permutation::Permutation(const FlowPlace& place, Order order) {
  const std::int64_t dims = place.dims();
  there_ = order == Order::reverse
               ? at::arange(dims, at::kLong).flip(0)
               : at::tensor(at::ArrayRef<std::int64_t>(drawn_order(dims, place.number)), at::kLong);
  back_ = at::argsort(there_);
}

}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeTransform gradatim_make_permutation;

gradatim::neural::Transform* gradatim_make_permutation(const void* config,
                                                       const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  return new Permutation(place, static_cast<const PermutationConfig*>(config)->order);
}
}
