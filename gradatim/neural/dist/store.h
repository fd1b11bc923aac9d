// The store where ranks meet: a c10d TCPStore, which rank 0 or the launcher keeps.
#pragma once

#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "gradatim/dist/launch.h"

namespace gradatim::neural {

/// Keys of this run of the job alone. DistributedError GRD-5002 where the port is taken or nobody
/// answers in time.
c10::intrusive_ptr<c10d::Store> open_store(const dist::Launch& launch);

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
