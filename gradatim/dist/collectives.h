// What is built on a Group's operations: texts of any length, agreement, and errors of one rank
// that all learn of.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/core/exact_sum.h"
#include "gradatim/dist/group.h"

namespace gradatim::dist {

/// Everyone's text, in the order of ranks.
std::vector<std::string> gather(Group& group, std::string_view mine);

/// Everyone's numbers one behind the other, in the order of ranks; as many or as few as each has.
template <class T>
std::vector<T> gather_values(Group& group, std::span<const T> mine) {
  std::vector<T> all;
  for (const auto& bytes :
       gather(group, {reinterpret_cast<const char*>(mine.data()), mine.size_bytes()})) {
    const auto* first = reinterpret_cast<const T*>(bytes.data());
    all.insert(all.end(), first, first + bytes.size() / sizeof(T));
  }
  return all;
}

/// Rank 0's text.
std::string from_first(Group& group, std::string text);

std::int64_t sum(Group& group, std::int64_t mine);
ExactSum sum(Group& group, const ExactSum& mine);
std::int64_t maximum(Group& group, std::int64_t mine);
double maximum(Group& group, double mine);
/// The sum over the ranks before this one.
std::int64_t sum_before(Group& group, std::int64_t mine);

/// DistributedError GRD-5004 on every rank where the value is not the same on all; it names the
/// first rank that differs from rank 0, and both values.
void require_equal(Group& group, std::string_view what, std::string_view value);

/// Runs work that asks no other rank. Where it throws on some rank, it throws on all: on that one
/// its own error, on the others DistributedError GRD-5003 with its words.
void together(Group& group, const std::function<void()>& work);

}  // namespace gradatim::dist
