// A 64-bit hash of bytes, the same on every machine and for any number of threads: it tells whether
// data changed by accident. Not cryptographic.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace gradatim {

class Hash {
 public:
  explicit Hash(std::uint64_t seed = 0) : state_(seed ^ kOdd) {}

  Hash& add(std::uint64_t word) {
    state_ = (state_ ^ word) * kOdd;
    state_ ^= state_ >> 29;
    return *this;
  }
  /// All NaNs are one, and so are both zeros.
  Hash& add(double x) {
    return add(x != x ? ~std::uint64_t{0} : std::bit_cast<std::uint64_t>(x + 0.0));
  }
  Hash& add(std::string_view text) {
    add(std::uint64_t{text.size()});
    for (std::size_t at = 0; at < text.size(); at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + at, text.size() - at < 8 ? text.size() - at : 8);
      add(word);
    }
    return *this;
  }
  template <class T>
  Hash& add(std::span<const T> numbers) {
    add(std::uint64_t{numbers.size()});
    for (const T x : numbers) add(x);
    return *this;
  }
  Hash& add(std::span<const float> numbers) {
    add(std::uint64_t{numbers.size()});
    for (const float x : numbers) add(double{x});
    return *this;
  }

  std::uint64_t value() const {
    std::uint64_t x = state_ ^ (state_ >> 32);
    x *= 0xD6E8FEB86659FD93U;
    return x ^ (x >> 32);
  }

 private:
  static constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15U;
  std::uint64_t state_;
};

}  // namespace gradatim
