// Order: which samples a step learns from. The stream of samples is one order of all of them after
// another, an epoch each, random or always their own; step s takes the places from s * batch on.
#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "gradatim/core/philox.h"

namespace gradatim::neural {

class Order {
 public:
  Order(std::int64_t count, bool shuffled, std::uint64_t seed, Stream stream)
      : count_(count), shuffled_(shuffled), seed_(seed), stream_(stream) {}

  /// The sample at a place of the stream. A pure function of it; the order of one epoch is kept.
  std::int64_t at(std::int64_t place) {
    if (!shuffled_) return place % count_;
    if (place / count_ != epoch_) shuffle(place / count_);
    return order_[static_cast<std::size_t>(place % count_)];
  }

 private:
  // Fisher and Yates.
  void shuffle(std::int64_t epoch) {
    epoch_ = epoch;
    order_.resize(static_cast<std::size_t>(count_));
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    const Philox draws(seed_, stream_, static_cast<std::uint32_t>(epoch));
    for (std::size_t k = order_.size(); k > 1; --k) {
      std::swap(order_[k - 1], order_[draws.below(static_cast<std::uint32_t>(k), k)]);
    }
  }

  std::int64_t count_;
  bool shuffled_;
  std::uint64_t seed_;
  Stream stream_;
  std::int64_t epoch_ = -1;
  std::vector<std::int64_t> order_;
};

}  // namespace gradatim::neural
