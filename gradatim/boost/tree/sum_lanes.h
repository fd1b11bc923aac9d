// The integers that a criterion's sum is made of, one after the other, as ranks exchange them.
#pragma once

#include <cstdint>
#include <vector>

#include "gradatim/boost/tree/counted.h"
#include "gradatim/boost/tree/criterion.h"

namespace gradatim::boost {

template <class F>
void each_lane(NewtonSum& sum, const F& f) {
  f(sum.g);
  f(sum.h);
}

template <class F>
void each_lane(std::vector<std::int64_t>& sum, const F& f) {
  for (std::int64_t& lane : sum) f(lane);
}

template <class CountedSum, class F>
requires requires(CountedSum& counted) { counted.sum; }
void each_lane(CountedSum& counted, const F& f) {
  f(counted.rows);
  each_lane(counted.sum, f);
}

}  // namespace gradatim::boost
