#include "gradatim/dist/threads.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "gradatim/core/error.h"

namespace gradatim::dist {
namespace {

// Where the threads meet.
class Meeting {
 public:
  Meeting(int ranks, std::chrono::milliseconds timeout) : timeout_(timeout), posted_(ranks) {}

  std::chrono::milliseconds timeout() const { return timeout_; }
  int size() const { return static_cast<int>(posted_.size()); }

  // Posts this rank's memory and waits until all have. It stays until meet() is called without,
  // by which all have read it.
  void post(int rank, void* memory) {
    posted_[rank] = memory;
    meet();
  }
  void meet() {
    std::unique_lock lock(mutex_);
    const auto round = round_;
    if (++arrived_ == size()) {
      arrived_ = 0;
      ++round_;
      changed_.notify_all();
      return;
    }
    wait(lock, [&] { return round_ != round; });
  }
  void* posted(int rank) const { return posted_[rank]; }

  void put(int from, int to, std::vector<std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    mail_[{from, to}].push_back(std::move(bytes));
    changed_.notify_all();
  }
  std::vector<std::byte> take(int from, int to) {
    std::unique_lock lock(mutex_);
    auto& mail = mail_[{from, to}];
    wait(lock, [&] { return !mail.empty(); });
    auto bytes = std::move(mail.front());
    mail.pop_front();
    return bytes;
  }

  void fail(int rank, const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (failure_.empty()) failure_ = fmt::format("rank {} stopped: {}", rank, why);
    changed_.notify_all();
  }

 private:
  template <class Condition>
  void wait(std::unique_lock<std::mutex>& lock, const Condition& condition) {
    const bool told =
        changed_.wait_for(lock, timeout_, [&] { return condition() || !failure_.empty(); });
    GRADATIM_CHECK(told, DistributedError, 5003, "another rank did not answer for {} ms",
                   timeout_.count());
    GRADATIM_CHECK(condition(), DistributedError, 5003, "{}", failure_);
  }

  std::chrono::milliseconds timeout_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<void*> posted_;
  std::int64_t round_ = 0;
  int arrived_ = 0;
  std::map<std::pair<int, int>, std::deque<std::vector<std::byte>>> mail_;
  std::string failure_;
};

// Hashes are added up, too: integers wrap.
void add_to(std::int64_t& total, std::int64_t x, Reduction how) {
  const auto sum = static_cast<std::uint64_t>(total) + static_cast<std::uint64_t>(x);
  total = how == Reduction::sum ? static_cast<std::int64_t>(sum) : std::max(total, x);
}

template <class T>
void add_to(T& total, T x, Reduction how) {
  total = how == Reduction::sum ? total + x : std::max(total, x);
}

struct Bfloat16 {
  std::uint16_t bits;
  operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

void add_to(Bfloat16& total, Bfloat16 x, Reduction how) {
  float exact = total;
  add_to(exact, static_cast<float>(x), how);
  const auto bits = std::bit_cast<std::uint32_t>(exact);  // rounded to nearest even
  total.bits = static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

class ThreadRank final : public Group {
 public:
  ThreadRank(Meeting& meeting, int rank) : meeting_(meeting), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return meeting_.size(); }
  std::chrono::milliseconds timeout() const override { return meeting_.timeout(); }

  void all_reduce(Numbers values, Reduction how) override {
    switch (values.type) {
      case NumberType::int64: return reduce<std::int64_t>(values, how);
      case NumberType::float32: return reduce<float>(values, how);
      case NumberType::float64: return reduce<double>(values, how);
      case NumberType::bfloat16: return reduce<Bfloat16>(values, how);
    }
  }

  std::unique_ptr<Work> start_all_reduce(Numbers values) override {
    // Begins when somebody waits for it, which is in the same order on every rank.
    class Later final : public Work {
     public:
      Later(ThreadRank& group, Numbers numbers) : group_(group), numbers_(numbers) {}
      void wait() override { group_.all_reduce(numbers_, Reduction::sum); }

     private:
      ThreadRank& group_;
      Numbers numbers_;
    };
    return std::make_unique<Later>(*this, values);
  }

  void reduce_scatter(std::span<const std::int64_t> all, std::span<const std::int64_t> counts,
                      std::span<std::int64_t> mine) override {
    meeting_.post(rank_, const_cast<std::int64_t*>(all.data()));
    std::int64_t first = 0;
    for (int r = 0; r < rank_; ++r) first += counts[r];
    std::vector<std::int64_t> total(mine.size());
    for (int r = 0; r < size(); ++r) {
      const auto* part = static_cast<const std::int64_t*>(meeting_.posted(r)) + first;
      for (std::size_t k = 0; k < total.size(); ++k) add_to(total[k], part[k], Reduction::sum);
    }
    barrier();
    std::ranges::copy(total, mine.begin());
  }

  void broadcast(std::span<std::byte> bytes, int root) override {
    meeting_.post(rank_, bytes.data());
    if (rank_ != root) std::memcpy(bytes.data(), meeting_.posted(root), bytes.size());
    barrier();
  }

  void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) override {
    meeting_.post(rank_, const_cast<std::byte*>(mine.data()));
    for (int r = 0; r < size(); ++r) {
      std::memmove(all.data() + r * mine.size(), meeting_.posted(r), mine.size());
    }
    barrier();
  }

  void send(std::span<const std::byte> bytes, int to) override {
    meeting_.put(rank_, to, {bytes.begin(), bytes.end()});
  }
  void receive(std::span<std::byte> bytes, int from) override {
    std::ranges::copy(meeting_.take(from, rank_), bytes.begin());
  }
  void exchange(std::span<const std::byte> sent, int to, std::span<std::byte> received,
                int from) override {
    send(sent, to);
    receive(received, from);
  }
  void barrier() override { meeting_.meet(); }
  void fail(const std::string& why) noexcept override { meeting_.fail(rank_, why); }

 private:
  template <class T>
  void reduce(Numbers values, Reduction how) {
    meeting_.post(rank_, values.data);
    const auto* first = static_cast<const T*>(meeting_.posted(0));
    std::vector<T> total(first, first + values.count);
    for (int r = 1; r < size(); ++r) {
      const auto* other = static_cast<const T*>(meeting_.posted(r));
      for (std::int64_t k = 0; k < values.count; ++k) add_to(total[k], other[k], how);
    }
    barrier();
    std::ranges::copy(total, static_cast<T*>(values.data));
  }

  Meeting& meeting_;
  int rank_;
};

}  // namespace

void run_ranks(int ranks, const std::function<void(Group& group)>& work,
               std::chrono::milliseconds timeout) {
  Meeting meeting(ranks, timeout);
  std::vector<std::exception_ptr> own(ranks), others(ranks);
  std::vector<std::thread> threads;
  for (int r = 0; r < ranks; ++r) {
    threads.emplace_back([&, r] {
      ThreadRank group(meeting, r);
      try {
        work(group);
      } catch (const DistributedError& error) {
        (error.code() == 5003 ? others : own)[r] = std::current_exception();
        group.fail(error.message());
      } catch (const std::exception& error) {
        own[r] = std::current_exception();
        group.fail(error.what());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto* errors : {&own, &others}) {
    for (const auto& error : *errors) {
      if (error) std::rethrow_exception(error);
    }
  }
}

}  // namespace gradatim::dist
