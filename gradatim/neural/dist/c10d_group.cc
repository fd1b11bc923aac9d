// A group of processes: Gloo's operations on numbers in memory, cut into pieces that it can carry,
// and errors that say who is gone (meeting.h).
#include <fmt/format.h>

#define USE_C10D_GLOO
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/neural/dist/join.h"
#include "gradatim/neural/dist/meeting.h"
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
                                 : Engine::createDeviceForHostname(own_address(meeting.launch())));
  const auto& launch = meeting.launch();
  return c10::make_intrusive<Engine>(meeting.store(), launch.rank, launch.size, options);
}

class C10dGroup final : public dist::Group {
 public:
  explicit C10dGroup(const Launch& launch) : meeting_(launch) {
    guarded([&] { engine_ = engine_of(meeting_); });
  }

  ~C10dGroup() override {
    if (!meeting_.part()) close();
  }

  int rank() const override { return meeting_.launch().rank; }
  int size() const override { return meeting_.launch().size; }
  std::chrono::milliseconds timeout() const override { return meeting_.launch().timeout; }

  void all_reduce(Numbers values, Reduction how) override {
    guarded([&] { wait(reductions(values, how)); });
  }

  std::unique_ptr<dist::Work> start_all_reduce(Numbers values) override {
    class Started final : public dist::Work {
     public:
      Started(C10dGroup& group, std::vector<Pending> pending)
          : group_(group), pending_(std::move(pending)) {}
      void wait() override {
        group_.guarded([&] { C10dGroup::wait(pending_); });
      }

     private:
      C10dGroup& group_;
      std::vector<Pending> pending_;
    };
    std::vector<Pending> pending;
    guarded([&] { pending = reductions(values, Reduction::sum); });
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
    std::vector<std::int64_t> arrived(mine.size()), arriving(mine.size());
    guarded([&] {
      const auto start = [&](int step) {
        const int to = (rank() + step) % size(), from = (rank() + size() - step) % size();
        return exchanges(part(to), to, std::as_writable_bytes(std::span(arriving)), from);
      };
      auto under_way = start(1);
      std::copy_n(all.begin() + first[rank()], mine.size(), mine.begin());
      for (int step = 1; step < size(); ++step) {
        wait(under_way);
        std::swap(arrived, arriving);
        if (step + 1 < size()) under_way = start(step + 1);
        for (std::size_t k = 0; k < mine.size(); ++k) mine[k] += arrived[k];
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
  static void wait(const std::vector<Pending>& pending) {
    for (const auto& work : pending) work->wait();
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
      std::thread([engine = std::move(engine_)]() mutable { engine.reset(); }).detach();
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
  c10::intrusive_ptr<Engine> engine_;
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
  c10::initLogging();  // only then does torch look at TORCH_CPP_LOG_LEVEL
  return std::make_shared<gradatim::neural::C10dGroup>(launch);
}
}
