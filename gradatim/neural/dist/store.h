// The store where ranks meet: a c10d TCPStore, which rank 0 or the launcher keeps.
#pragma once

#include <chrono>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

#include "gradatim/dist/launch.h"

namespace gradatim::neural {

using Store = c10::intrusive_ptr<c10d::Store>;

/// Keys of this run of the job alone. DistributedError GRD-5002 where the port is taken or nobody
/// answers in time.
Store open_store(const dist::Launch& launch);

/// "member/3".
std::string key(const char* kind, int rank);
/// All ranks but this one.
std::vector<int> others(const dist::Launch& launch);
/// Those of the ranks whose keys do not come in time. c10::Error where the store is gone.
std::vector<int> missing(const Store& store, const char* kind, const std::vector<int>& ranks,
                         std::chrono::milliseconds patience);
/// "ranks 1 and 3".
std::string names_of(const std::vector<int>& ranks);

/// The way to the store: the address of this machine that leads there, and the store's.
struct Way {
  std::string own, other;
};
Way way_to_store(const dist::Launch& launch);

/// Whether nobody else can reach this machine by it.
bool is_loopback(const std::string& address);

/// "10.0.0.1:29500".
std::string place_of(const dist::Launch& launch);

/// The first line of what torch or Gloo threw, without its place in their sources.
std::string words_of(const std::exception& error);

}  // namespace gradatim::neural
