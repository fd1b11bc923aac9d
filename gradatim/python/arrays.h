// Vectors as NumPy arrays that own them.
#pragma once

#include <nanobind/ndarray.h>

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gradatim::python {

using Words = std::vector<std::string>;
using Doubles = nanobind::ndarray<const double, nanobind::c_contig, nanobind::device::cpu>;

inline std::vector<std::size_t> sizes_of(std::int64_t rows, std::span<const std::int64_t> shape) {
  std::vector<std::size_t> sizes{static_cast<std::size_t>(rows)};
  for (const auto size : shape) sizes.push_back(static_cast<std::size_t>(size));
  return sizes;
}

template <class T>
nanobind::object array_of(std::vector<T> values, const std::vector<std::size_t>& sizes) {
  std::size_t numbers = 1;
  for (const std::size_t size : sizes) numbers *= size;
  if (numbers != values.size()) throw std::logic_error("an array of another size than its shape");
  auto* kept = new std::vector<T>(std::move(values));
  nanobind::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return nanobind::cast(
      nanobind::ndarray<nanobind::numpy, T>(kept->data(), sizes.size(), sizes.data(), owner));
}

}  // namespace gradatim::python
