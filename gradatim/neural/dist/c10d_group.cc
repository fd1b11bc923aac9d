// A group of processes: Gloo's operations on numbers in memory, cut into pieces that it can carry,
// and errors that say who is gone (meeting.h).
#include <fmt/format.h>

#define USE_C10D_GLOO
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/core/hash.h"
#include "gradatim/neural/dist/device_group.h"
#include "gradatim/neural/dist/join.h"
#include "gradatim/neural/dist/meeting.h"
#include "gradatim/neural/dist/nccl_engine.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {
namespace {

using dist::Launch;
using dist::Numbers;
using dist::NumberType;
using dist::Reduction;
using Engine = c10d::ProcessGroupGloo;
using Pending = c10::intrusive_ptr<c10d::Work>;
using Tensors = std::vector<Tensor>;

// Up to so many bytes of all ranks together, what counts is how often threads wait for each other,
// and the engine's own reductions wait more often than these exchanges.
constexpr std::int64_t kSmall = 256 << 10;
constexpr std::int64_t kPiece = std::int64_t{1} << 29;  // bytes; Gloo carries 2 GiB at most

at::ScalarType torch_type(NumberType type) {
  switch (type) {
    case NumberType::int64: return at::kLong;
    case NumberType::float32: return at::kFloat;
    case NumberType::float64: return at::kDouble;
    case NumberType::bfloat16: return at::kBFloat16;
  }
  return at::kByte;
}

Tensors tensor_of(std::span<const std::byte> bytes) {
  return {at::from_blob(const_cast<std::byte*>(bytes.data()), {std::ssize(bytes)}, at::kByte)};
}

// Calls f(begin, size) for pieces of `count` elements of so many bytes.
void in_pieces(std::int64_t count, std::int64_t bytes,
               const std::function<void(std::int64_t begin, std::int64_t size)>& f) {
  const std::int64_t most = kPiece / bytes;
  for (std::int64_t begin = 0; begin < count; begin += most) {
    f(begin, std::min(most, count - begin));
  }
}

c10::intrusive_ptr<Engine> engine_of(Meeting& meeting) {
  auto options = Engine::Options::create(meeting.engine_timeout());
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  options->devices.push_back(interface != nullptr
                                 ? Engine::createDeviceForInterface(interface)
                                 : Engine::createDeviceForHostname(meeting.own_address()));
  // Where addresses lead nowhere, it tries for longer than it is told to.
  auto made = std::make_shared<std::promise<c10::intrusive_ptr<Engine>>>();
  auto future = made->get_future();
  std::thread([made, options, store = meeting.store(), launch = meeting.launch()] {
    try {
      made->set_value(c10::make_intrusive<Engine>(store, launch.rank, launch.size, options));
    } catch (const std::exception&) {
      made->set_value(nullptr);
    }
  }).detach();
  const bool ready = future.wait_for(meeting.engine_timeout()) == std::future_status::ready;
  auto engine = ready ? future.get() : nullptr;
  if (engine) return engine;
  throw std::runtime_error("no connection came about; GLOO_SOCKET_IFNAME names the device to use");
}

// Hashes are added up, too: integers wrap.
template <class T>
T sum_of(T x, T y) {
  if constexpr (std::is_same_v<T, std::int64_t>) {
    return static_cast<T>(static_cast<std::uint64_t>(x) + static_cast<std::uint64_t>(y));
  } else {
    return x + y;
  }
}

template <class T>
void combine(std::byte* total, const std::byte* other, std::int64_t count, Reduction how) {
  auto* to = reinterpret_cast<T*>(total);
  const auto* from = reinterpret_cast<const T*>(other);
  for (std::int64_t k = 0; k < count; ++k) {
    to[k] = how == Reduction::sum ? sum_of(to[k], from[k]) : std::max(to[k], from[k]);
  }
}

void combine(const Numbers& total, const std::byte* other, Reduction how) {
  auto* bytes = static_cast<std::byte*>(total.data);
  switch (total.type) {
    case NumberType::int64: return combine<std::int64_t>(bytes, other, total.count, how);
    case NumberType::float32: return combine<float>(bytes, other, total.count, how);
    case NumberType::float64: return combine<double>(bytes, other, total.count, how);
    case NumberType::bfloat16: return combine<c10::BFloat16>(bytes, other, total.count, how);
  }
}

std::span<std::byte> bytes_of(const Numbers& values) {
  return {static_cast<std::byte*>(values.data), static_cast<std::size_t>(values.bytes())};
}

// Gloo's thread looks again and again for work that it cannot have while the caller's thread holds
// the connection. Where it wakes up in place of that thread, which then lets go of nothing, both
// lose a turn of the scheduler, and an operation takes three times as long. A batch thread does not
// push others aside when it wakes up.
void let_callers_go_first() {
#ifdef SCHED_BATCH
  std::error_code failed;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", failed)) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    const sched_param plain{};
    if (name == "gloo_tcp_loop") {
      ::sched_setscheduler(std::stoi(task.path().filename()), SCHED_BATCH, &plain);
    }
  }
#endif
}

class C10dGroup final : public DeviceGroup {
 public:
  explicit C10dGroup(const Launch& launch) : meeting_(launch) {
    guarded([&] { engine_ = engine_of(meeting_); });
    let_callers_go_first();
  }

  ~C10dGroup() override {
    try {
      if (device_engine_) device_engine_->shutdown();
    } catch (const std::exception&) {  // another rank is gone, which part() finds out
    }
    if (!meeting_.part()) close();
  }

  int rank() const override { return meeting_.launch().rank; }
  int size() const override { return meeting_.launch().size; }
  std::chrono::milliseconds timeout() const override { return meeting_.launch().timeout; }

  void all_reduce(Numbers values, Reduction how) override {
    const auto own = bytes_of(values);
    const std::int64_t all = std::ssize(own) * size();
    if (all > kSmall) return guarded([&] { wait(reductions(values, how)); });
    std::vector<std::byte> parts(static_cast<std::size_t>(all));
    guarded([&] { gather_small(own, parts); });
    std::copy_n(parts.begin(), own.size(), own.begin());
    for (int r = 1; r < size(); ++r) combine(values, parts.data() + r * own.size(), how);
  }

  std::unique_ptr<dist::Work> start_all_reduce(Numbers values) override {
    std::vector<Pending> pending;
    if (size() == 2) return start_sum_of_two(values);
    guarded([&] { pending = reductions(values, Reduction::sum); });
    return std::make_unique<Started>(*this, std::move(pending));
  }

  // NCCL wants a GPU of its own for every rank.
  bool adds_on(const at::Device& device) override {
    const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
    char host[256] = "";
    ::gethostname(host, sizeof host - 1);
    const bool here = device.is_cuda() && has_nccl();
    const std::uint64_t mine = here ? Hash()
                                          .add(std::string_view(host))
                                          .add(std::string_view(visible == nullptr ? "" : visible))
                                          .add(static_cast<double>(device.index()))
                                          .value()
                                    : 0;
    std::vector<std::uint64_t> all(static_cast<std::size_t>(size()));
    all_gather(std::as_bytes(std::span(&mine, 1)), std::as_writable_bytes(std::span(all)));
    std::ranges::sort(all);
    return all.front() != 0 && std::ranges::adjacent_find(all) == all.end();
  }
  std::unique_ptr<dist::Work> start_device_sum(const Tensor& numbers) override {
    std::vector<Pending> pending;
    guarded([&] {
      if (!device_engine_) {
        const auto store = c10::make_intrusive<c10d::PrefixStore>("nccl", meeting_.store());
        device_engine_ = nccl_engine(store, rank(), size(), meeting_.engine_timeout());
      }
      Tensors tensors{numbers};
      pending.push_back(device_engine_->allreduce(tensors));
    });
    return std::make_unique<Started>(*this, std::move(pending));
  }

  // Each rank's part goes to it alone: (N - 1) / N of the numbers leave every rank, half of what an
  // all-reduce moves, which is what the engine would do. While a part travels, the one before it is
  // added.
  void reduce_scatter(std::span<const std::int64_t> all, std::span<const std::int64_t> counts,
                      std::span<std::int64_t> mine) override {
    std::vector<std::int64_t> first(size(), 0);
    for (int r = 1; r < size(); ++r) first[r] = first[r - 1] + counts[r - 1];
    const auto part = [&](int r) { return std::as_bytes(all.subspan(first[r], counts[r])); };
    guarded([&] {
      const auto start = [&](int step) {
        const int to = (rank() + step) % size(), from = (rank() + size() - step) % size();
        if (arriving_.size() < mine.size()) arriving_.resize(mine.size());
        const auto place = std::span(arriving_).first(mine.size());
        return exchanges(part(to), to, std::as_writable_bytes(place), from);
      };
      auto under_way = start(1);
      std::copy_n(all.begin() + first[rank()], mine.size(), mine.begin());
      for (int step = 1; step < size(); ++step) {
        wait(under_way);
        std::swap(arrived_, arriving_);
        if (step + 1 < size()) under_way = start(step + 1);
        for (std::size_t k = 0; k < mine.size(); ++k) mine[k] = sum_of(mine[k], arrived_[k]);
      }
    });
  }

  void broadcast(std::span<std::byte> bytes, int root) override {
    guarded([&] {
      in_pieces(std::ssize(bytes), 1, [&](std::int64_t begin, std::int64_t size) {
        auto tensors = tensor_of(bytes.subspan(begin, size));
        c10d::BroadcastOptions options;
        options.rootRank = root;
        engine_->broadcast(tensors, options)->wait();
      });
    });
  }

  void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) override {
    if (mine.empty()) return;
    if (std::ssize(all) <= kSmall) return guarded([&] { gather_small(mine, all); });
    if (std::ssize(all) > kPiece) return gather_one_by_one(mine, all);
    guarded([&] {
      auto sent = tensor_of(mine), received = tensor_of(all);
      engine_->_allgather_base(received[0], sent[0])->wait();
    });
  }

  void send(std::span<const std::byte> bytes, int to) override {
    guarded([&] { wait(exchanges(bytes, to, {}, to)); });
  }
  void receive(std::span<std::byte> bytes, int from) override {
    guarded([&] { wait(exchanges({}, from, bytes, from)); });
  }
  void exchange(std::span<const std::byte> sent, int to, std::span<std::byte> received,
                int from) override {
    guarded([&] { wait(exchanges(sent, to, received, from)); });
  }
  void barrier() override {
    guarded([&] { engine_->barrier()->wait(); });
  }

  void fail(const std::string& why) noexcept override {
    meeting_.fail(why);
    close();
  }

 private:
  class Started final : public dist::Work {
   public:
    Started(C10dGroup& group, std::vector<Pending> pending)
        : group_(group), pending_(std::move(pending)) {}
    ~Started() override {
      try {
        C10dGroup::wait(pending_);  // else the engine writes where its owner has given up
      } catch (const std::exception&) {
      }
    }
    void wait() override {
      const auto pending = std::exchange(pending_, {});
      group_.guarded([&] { C10dGroup::wait(pending); });
    }

   private:
    C10dGroup& group_;
    std::vector<Pending> pending_;
  };

  // Of two ranks the exchange of everything moves no more than a ring does, in one step.
  std::unique_ptr<dist::Work> start_sum_of_two(const Numbers& values) {
    class Exchanged final : public dist::Work {
     public:
      Exchanged(C10dGroup& group, const Numbers& numbers)
          : group_(group), numbers_(numbers), other_(bytes_of(numbers).size()) {
        const int peer = 1 - group.rank();
        group_.guarded(
            [&] { pending_ = group_.exchanges(bytes_of(numbers_), peer, other_, peer); });
      }
      ~Exchanged() override {
        try {
          C10dGroup::wait(pending_);
        } catch (const std::exception&) {
        }
      }
      void wait() override {
        const auto pending = std::exchange(pending_, {});
        group_.guarded([&] { C10dGroup::wait(pending); });
        combine(numbers_, other_.data(), Reduction::sum);
      }

     private:
      C10dGroup& group_;
      Numbers numbers_;
      std::vector<std::byte> other_;
      std::vector<Pending> pending_;
    };
    return std::make_unique<Exchanged>(*this, values);
  }

  // In each step a rank passes on what it has, so that log2 N exchanges do. Bruck, Ho, Kipnis,
  // Upfal and Weathersby (1997), Efficient algorithms for all-to-all communications.
  void gather_small(std::span<const std::byte> mine, std::span<std::byte> all) {
    const std::size_t part = mine.size();
    std::vector<std::byte> parts(all.size());  // of this rank, the next one, and so on
    std::ranges::copy(mine, parts.begin());
    for (int have = 1; have < size(); have *= 2) {
      const std::size_t more = part * static_cast<std::size_t>(std::min(have, size() - have));
      const auto held = std::span(parts).first(more);
      const auto added = std::span(parts).subspan(part * static_cast<std::size_t>(have), more);
      wait(exchanges(held, (rank() + size() - have) % size(), added, (rank() + have) % size()));
    }
    for (int r = 0; r < size(); ++r) {
      const auto place = all.subspan(part * static_cast<std::size_t>((rank() + r) % size()), part);
      std::copy_n(parts.begin() + static_cast<std::ptrdiff_t>(part) * r, part, place.begin());
    }
  }

  // All of them also where one breaks, since the engine holds on to the memory of the others.
  static void wait(const std::vector<Pending>& pending) {
    std::exception_ptr error;
    for (const auto& work : pending) {
      try {
        work->wait();
      } catch (const std::exception&) {
        if (!error) error = std::current_exception();
      }
    }
    if (error) std::rethrow_exception(error);
  }

  std::vector<Pending> reductions(Numbers values, Reduction how) {
    c10d::AllreduceOptions options;
    options.reduceOp = how == Reduction::sum ? c10d::ReduceOp::SUM : c10d::ReduceOp::MAX;
    const auto type = torch_type(values.type);
    const auto bytes = static_cast<std::int64_t>(c10::elementSize(type));
    std::vector<Pending> pending;
    in_pieces(values.count, bytes, [&](std::int64_t begin, std::int64_t count) {
      auto* data = static_cast<std::byte*>(values.data) + begin * bytes;
      Tensors tensors{at::from_blob(data, {count}, type)};
      pending.push_back(engine_->allreduce(tensors, options));
    });
    return pending;
  }

  std::vector<Pending> exchanges(std::span<const std::byte> sent, int to,
                                 std::span<std::byte> received, int from) {
    std::vector<Pending> pending;
    in_pieces(std::ssize(received), 1, [&](std::int64_t begin, std::int64_t size) {
      auto tensors = tensor_of(received.subspan(begin, size));
      pending.push_back(engine_->recv(tensors, from, 0));
    });
    in_pieces(std::ssize(sent), 1, [&](std::int64_t begin, std::int64_t size) {
      auto tensors = tensor_of(sent.subspan(begin, size));
      pending.push_back(engine_->send(tensors, to, 0));
    });
    return pending;
  }

  void gather_one_by_one(std::span<const std::byte> mine, std::span<std::byte> all) {
    for (int r = 0; r < size(); ++r) {
      const auto place = all.subspan(r * mine.size(), mine.size());
      if (r == rank()) std::ranges::copy(mine, place.begin());
      broadcast(place, r);
    }
  }

  // Ends what the others wait for. In a thread, since the engine first ends what itself waits for.
  void close() noexcept {
    if (!engine_) return;
    try {
      std::thread([engine = std::move(engine_), device = std::move(device_engine_)]() mutable {
        engine.reset();
        if (device) device->abort();
      }).detach();
    } catch (const std::exception&) {  // no thread to be had: it stays open until the process ends
    }
  }

  // Calls f, one operation; what the engine throws becomes an error that says who is gone.
  template <class F>
  void guarded(const F& f) {
    meeting_.begun();
    const auto start = std::chrono::steady_clock::now();
    try {
      f();
    } catch (const std::exception& error) {
      const auto waited = std::chrono::steady_clock::now() - start;
      throw DistributedError(
          5003, meeting_.why_broken(words_of(error),
                                    std::chrono::duration_cast<std::chrono::milliseconds>(waited)));
    }
  }

  Meeting meeting_;
  std::vector<std::int64_t> arrived_, arriving_;  // parts of other ranks; kept, as the largest was
  c10::intrusive_ptr<Engine> engine_;
  c10::intrusive_ptr<c10d::Backend> device_engine_;  // from the first sum on a device on
};

// Else writing to a rank that is gone ends this process, as a closed pipe would.
void ignore_closed_connections() {
  struct sigaction action {};
  if (::sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) {
    ::signal(SIGPIPE, SIG_IGN);
  }
}

}  // namespace
}  // namespace gradatim::neural

extern "C" {
gradatim::neural::JoinGroup gradatim_join;

std::shared_ptr<gradatim::dist::Group> gradatim_join(const gradatim::dist::Launch& launch) {
  gradatim::neural::ignore_closed_connections();
  gradatim::neural::prepare_nccl();
  c10::initLogging();  // only then does torch look at TORCH_CPP_LOG_LEVEL
  return std::make_shared<gradatim::neural::C10dGroup>(launch);
}
}
