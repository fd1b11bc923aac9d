#include "gradatim/neural/dist/meeting.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <mutex>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::neural {

using namespace std::chrono_literals;
using Duration = std::chrono::milliseconds;
using Store = c10::intrusive_ptr<c10d::Store>;

// Threads share it, and the last one ends it.
struct Meeting::State {
  dist::Launch launch;
  Store store;
  std::atomic<std::int64_t> operations = 0;
  std::atomic<bool> broken = false;
  std::mutex mutex;
  std::string why;  // as far as this rank has been told

  bool is_host() const { return launch.rank == 0 && !launch.hosted; }
  std::string told() {
    const std::lock_guard lock(mutex);
    return why;
  }
  void tell(const std::string& text) {
    const std::lock_guard lock(mutex);
    if (why.empty()) why = text;
  }
};

namespace {

using State = Meeting::State;

constexpr const char* kWhy = "why";      // the first failure of any rank
constexpr const char* kBegin = "begin";  // what all ranks are, as rank 0 found them

std::string key(const char* kind, int rank) { return fmt::format("{}/{}", kind, rank); }

std::vector<std::string> keys(const char* kind, const std::vector<int>& ranks) {
  std::vector<std::string> all;
  for (const int r : ranks) all.push_back(key(kind, r));
  return all;
}

std::vector<int> others(const State& state) {
  std::vector<int> ranks;
  for (int r = 0; r < state.launch.size; ++r) {
    if (r != state.launch.rank) ranks.push_back(r);
  }
  return ranks;
}

// Those of the ranks whose keys do not come in time.
std::vector<int> missing(const Store& store, const char* kind, const std::vector<int>& ranks,
                         Duration patience) {
  if (ranks.empty()) return {};
  try {
    store->wait(keys(kind, ranks), patience);
    return {};
  } catch (const c10::DistStoreError&) {  // its time is over; where the store is gone, others
    std::vector<int> absent;
    for (const int r : ranks) {
      if (!store->check({key(kind, r)})) absent.push_back(r);
    }
    return absent;
  }
}

std::string names_of(const std::vector<int>& ranks) {
  std::vector<std::string> words;
  for (const int r : ranks) words.push_back(std::to_string(r));
  return (ranks.size() == 1 ? "rank " : "ranks ") + join_and(words);
}

// Calls work in a thread and waits for it so long; true where it ended without an error.
bool within(Duration patience, const std::function<void()>& work) {
  auto done = std::make_shared<std::promise<bool>>();
  auto result = done->get_future();
  std::thread([done, work] {
    try {
      work();
      done->set_value(true);
    } catch (const std::exception&) {
      done->set_value(false);
    }
  }).detach();
  return result.wait_for(patience) == std::future_status::ready && result.get();
}

// Leaves the text unless another was there before, and returns which one holds.
std::string settle(const Store& store, const std::string& text) {
  return store->compareSet(kWhy, "", text);
}

// Where this rank keeps the store, it stays until the others know.
void stay(const State& state, Duration patience) {
  if (state.is_host()) missing(state.store, "told", others(state), patience);
}

std::string roll_call(const State& state, const Store& store, Duration waited, Duration patience,
                      const std::string& engine) {
  const auto ranks = others(state);
  for (const int r : ranks) store->set(key("call", r), std::string("roll"));
  const auto absent = missing(store, "here", ranks, patience);
  const bool silent = waited >= state.launch.timeout / 2;
  if (!absent.empty()) {
    return names_of(absent) +
           (silent ? fmt::format(" did not answer for {} s", state.launch.timeout.count() / 1e3)
                   : (absent.size() == 1 ? " is gone" : " are gone"));
  }
  std::vector<int> behind;
  for (const int r : ranks) {
    const auto operations = parse_integer(store->get_to_str(key("here", r)));
    if (operations && *operations < state.operations) behind.push_back(r);
  }
  if (!behind.empty() && silent) {
    return fmt::format(
        "{} run{} but did not come to operation {} for {} s; raise GRADATIM_TIMEOUT "
        "where {} longer",
        names_of(behind), behind.size() == 1 ? "s" : "", state.operations.load(),
        state.launch.timeout.count() / 1e3, behind.size() == 1 ? "it needs" : "they need");
  }
  return "the ranks run, but not their connections: " + engine;
}

// Until this rank ends or something is wrong.
void watch(const std::shared_ptr<State>& state, const Store& store) {
  const int rank = state->launch.rank;
  try {
    while (!missing(store, "call", {rank}, 5min).empty()) {
    }
    if (store->get_to_str(key("call", rank)) == "end") return;
    store->set(key("here", rank), std::to_string(state->operations));
    store->wait({kWhy}, state->launch.timeout);
    state->tell(store->get_to_str(kWhy));
    store->set(key("told", rank), std::string("yes"));
  } catch (const std::exception&) {  // the store is gone; the next operation will tell
  }
}

// --- the beginning ---

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

std::string absence(const State& state, const std::vector<int>& absent) {
  return std::string(kAbsent) +
         fmt::format("{} did not come to {} within {} s; {} of {} did", names_of(absent),
                     place_of(state.launch), state.launch.timeout.count() / 1e3,
                     state.launch.size - std::ssize(absent), state.launch.size);
}

// Rank 0's identity where all are there and alike, else an error's code and text.
std::string inspect(const State& state) {
  const auto ranks = others(state);
  const auto absent = missing(state.store, "member", ranks, state.launch.timeout);
  if (!absent.empty()) return absence(state, absent);
  const std::string own = identity(state.launch);
  for (const int r : ranks) {
    const auto unlike = difference(r, state.store->get_to_str(key("member", r)), own);
    if (!unlike.empty()) return std::string(kUnlike) + unlike;
  }
  return own;
}

// What rank 0 found. It is waited for a little longer than it waits itself.
std::string inspected(const State& state) {
  try {
    state.store->wait({kBegin}, state.launch.timeout + 2s);
    return state.store->get_to_str(kBegin);
  } catch (const c10::DistStoreError&) {
    return absence(state, missing(state.store, "member", others(state), 1ms));
  }
}

void begin(const State& state) {
  const auto& launch = state.launch;
  state.store->set(key("sees", launch.rank), way_to_store(launch).other);
  GRADATIM_CHECK(state.store->add(key("processes", launch.rank), 1) == 1, DistributedError, 5001,
                 "there are two processes of rank {} at {}; each needs a RANK of its own",
                 launch.rank, place_of(launch));
  state.store->set(key("member", launch.rank), identity(launch));
  if (launch.rank == 0) state.store->set(kBegin, inspect(state));
  std::string found = inspected(state);
  if (!found.starts_with("500")) {
    const auto unlike = difference(launch.rank, identity(launch), found);  // a rank beyond its size
    if (unlike.empty()) return;
    found = std::string(kUnlike) + unlike;
  }
  state.store->set(key("told", launch.rank), std::string("yes"));
  if (state.is_host()) missing(state.store, "told", others(state), 1s);
  throw DistributedError(found.starts_with(kUnlike) ? 5004 : 5002, found.substr(kUnlike.size()));
}

}  // namespace

Meeting::Meeting(const dist::Launch& launch) : state_(std::make_shared<State>()) {
  state_->launch = launch;
  state_->store = open_store(launch);
  try {
    begin(*state_);
  } catch (const c10::Error&) {
    throw DistributedError(5002, fmt::format("rank 0 did not come to {} within {} s, or left again",
                                             place_of(launch), launch.timeout.count() / 1e3));
  }
  watcher_ = std::thread(watch, state_, state_->store->clone());
}

Meeting::~Meeting() {
  part();
  if (watcher_.joinable()) watcher_.detach();  // the store does not answer
}

bool Meeting::part() noexcept {
  try {
    if (state_->broken.exchange(true)) return false;
    const auto state = state_;
    const int rank = state->launch.rank;
    const bool awake = within(2s, [state, rank] {
      state->store->set(key("call", rank), std::string("end"));
      state->store->set(key("bye", rank), std::string("bye"));
    });
    if (!awake) return false;
    watcher_.join();
    within(5s, [state, rank] {  // the store ends with rank 0, which is as good as its word
      if (rank == 0) missing(state->store, "bye", others(*state), 5s);
      if (rank == 0) state->store->set("end", std::string("end"));
      if (rank != 0) state->store->wait({"end"}, 5s);
    });
    return true;
  } catch (...) {  // leaving fails nobody
    return false;
  }
}

const dist::Launch& Meeting::launch() const { return state_->launch; }
Store Meeting::store() const { return state_->store; }

std::string Meeting::own_address() const {
  const auto own = way_to_store(state_->launch).own;
  if (!is_loopback(own) || state_->launch.local_size == state_->launch.size) return own;
  // A machine often knows its own name as 127.0.1.1. Others know better.
  for (const int r : others(*state_)) {
    const auto seen = state_->store->get_to_str(key("sees", r));
    if (!is_loopback(seen)) return seen;
  }
  return own;
}

Duration Meeting::engine_timeout() const {
  const auto timeout = state_->launch.timeout;
  return timeout - std::clamp(Duration(timeout / 3), 100ms, 5000ms);
}

void Meeting::begun() {
  ++state_->operations;
  const auto told = state_->told();
  GRADATIM_CHECK(told.empty(), DistributedError, 5003, "{}", told);
}

std::string Meeting::why_broken(const std::string& engine, Duration waited) {
  state_->broken = true;
  const auto state = state_;
  const Duration patience = state->launch.timeout - engine_timeout();
  const bool asked = within(patience, [state, engine, waited, patience] {
    if (state->told().empty()) {
      const auto store = state->store->clone();
      // The first one calls the roll; the others hear what it found.
      if (store->check({kWhy}) || store->add("callers", 1) > 1) {
        store->wait({kWhy}, patience);
        state->tell(store->get_to_str(kWhy));
      } else {
        state->tell(settle(store, roll_call(*state, store, waited, patience / 2, engine)));
      }
    }
    stay(*state, patience / 4);
  });
  const std::string told = state->told();
  if (!told.empty()) return told;
  if (asked || state->is_host()) return "another rank is gone: " + engine;
  return fmt::format("{} at {}, where the ranks meet, is gone or cannot be reached",
                     state->launch.hosted ? "the launcher" : "rank 0", place_of(state->launch));
}

void Meeting::fail(const std::string& why) noexcept {
  try {
    if (state_->broken.exchange(true)) return;
    const auto state = state_;
    const auto words = fmt::format("rank {} stopped: {}", state->launch.rank, why);
    state->tell(words);
    within(2s, [state, words] {
      const auto store = state->store->clone();
      settle(store, words);
      for (const int r : others(*state)) store->set(key("call", r), std::string("roll"));
      store->set(key("told", state->launch.rank), std::string("yes"));
      stay(*state, 1500ms);
    });
  } catch (...) {  // there is nothing left to tell it by
  }
}

}  // namespace gradatim::neural
