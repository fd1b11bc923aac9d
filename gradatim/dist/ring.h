// The ring all-reduce, written out: what the engine's all-reduce of large buffers does.
//
// The numbers are cut into as many parts as there are ranks N. In N - 1 steps each rank passes a
// part to the next one, which adds it to its own: then every rank has one part whole
// (reduce-scatter). In N - 1 more steps the whole parts go round (all-gather). Each step moves 1 /
// N of the numbers, so that a rank sends 2 (N - 1) / N times as many bytes as it has, however many
// ranks there are.
//
// Patarasuk and Yuan (2009), Bandwidth optimal all-reduce algorithms for clusters of workstations.
// It is to be read, and not the default: Group::all_reduce is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/dist/group.h"

namespace gradatim::dist {

template <class T>
void ring_all_reduce(Group& group, std::span<T> values) {
  const int ranks = group.size(), rank = group.rank();
  const int next = (rank + 1) % ranks, previous = (rank + ranks - 1) % ranks;
  const auto part = [&](int k) {  // k may be negative
    k = (k + 2 * ranks) % ranks;
    const auto begin = std::ssize(values) * k / ranks, end = std::ssize(values) * (k + 1) / ranks;
    return values.subspan(begin, end - begin);
  };
  std::vector<T> received;
  for (int step = 0; step < ranks - 1; ++step) {  // reduce-scatter
    const auto sent = part(rank - step), own = part(rank - step - 1);
    received.resize(own.size());
    group.exchange(std::as_bytes(sent), next, std::as_writable_bytes(std::span(received)),
                   previous);
    for (std::size_t i = 0; i < own.size(); ++i) own[i] += received[i];
  }
  for (int step = 0; step < ranks - 1; ++step) {  // all-gather
    group.exchange(std::as_bytes(part(rank + 1 - step)), next,
                   std::as_writable_bytes(part(rank - step)), previous);
  }
}

}  // namespace gradatim::dist
