#include "gradatim/neural/dist/check_in.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::neural {
namespace {

using namespace std::chrono_literals;

constexpr const char* kBegin = "begin";  // what all ranks are, as rank 0 found them

// What ranks must have in common, a line each.
std::string identity(const dist::Launch& launch) {
  return fmt::format("version of gradatim: {}\nWORLD_SIZE: {}", GRADATIM_VERSION, launch.size);
}

// Nothing where they are alike.
std::string difference(int rank, const std::string& its, const std::string& first) {
  const auto ours = split(its, '\n'), theirs = split(first, '\n');
  for (std::size_t k = 0; k < std::min(ours.size(), theirs.size()); ++k) {
    if (ours[k] == theirs[k]) continue;
    return fmt::format("rank {} has another {}, not {} as rank 0; start all ranks alike", rank,
                       ours[k], theirs[k].substr(theirs[k].find(": ") + 2));
  }
  return "";
}

constexpr std::string_view kAbsent = "5002 ", kUnlike = "5004 ";

std::string absence(const dist::Launch& launch, const std::vector<int>& absent) {
  return std::string(kAbsent) + fmt::format("{} did not come to {} within {} s; {} of {} did",
                                            names_of(absent), place_of(launch),
                                            launch.timeout.count() / 1e3,
                                            launch.size - std::ssize(absent), launch.size);
}

// Rank 0's identity where all are there and alike, else an error's code and text.
std::string inspect(const dist::Launch& launch, const Store& store) {
  const auto ranks = others(launch);
  const auto absent = missing(store, "member", ranks, launch.timeout);
  if (!absent.empty()) return absence(launch, absent);
  const std::string own = identity(launch);
  for (const int r : ranks) {
    const auto unlike = difference(r, store->get_to_str(key("member", r)), own);
    if (!unlike.empty()) return std::string(kUnlike) + unlike;
  }
  return own;
}

// What rank 0 found. It is waited for a little longer than it waits itself.
std::string inspected(const dist::Launch& launch, const Store& store) {
  try {
    store->wait({kBegin}, launch.timeout + 2s);
    return store->get_to_str(kBegin);
  } catch (const c10::DistStoreError&) {
    return absence(launch, missing(store, "member", others(launch), 1ms));
  }
}

void begin(const dist::Launch& launch, const Store& store) {
  store->set(key("sees", launch.rank), way_to_store(launch).other);
  GRADATIM_CHECK(store->add(key("processes", launch.rank), 1) == 1, DistributedError, 5001,
                 "there are two processes of rank {} at {}; each needs a RANK of its own",
                 launch.rank, place_of(launch));
  store->set(key("member", launch.rank), identity(launch));
  if (launch.rank == 0) store->set(kBegin, inspect(launch, store));
  std::string found = inspected(launch, store);
  if (!found.starts_with("500")) {
    const auto unlike = difference(launch.rank, identity(launch), found);  // a rank beyond its size
    if (unlike.empty()) return;
    found = std::string(kUnlike) + unlike;
  }
  store->set(key("told", launch.rank), std::string("yes"));
  if (launch.rank == 0 && !launch.hosted) missing(store, "told", others(launch), 1s);
  throw DistributedError(found.starts_with(kUnlike) ? 5004 : 5002, found.substr(kUnlike.size()));
}

}  // namespace

void check_in(const dist::Launch& launch, const Store& store) {
  try {
    begin(launch, store);
  } catch (const c10::Error&) {
    throw DistributedError(5002, fmt::format("rank 0 did not come to {} within {} s, or left again",
                                             place_of(launch), launch.timeout.count() / 1e3));
  }
}

std::string address_for_others(const dist::Launch& launch, const Store& store) {
  const auto own = way_to_store(launch).own;
  if (!is_loopback(own) || launch.local_size == launch.size) return own;
  for (const int r : others(launch)) {
    const auto seen = store->get_to_str(key("sees", r));
    if (!is_loopback(seen)) return seen;
  }
  return own;
}

}  // namespace gradatim::neural
