#include "gradatim/neural/nn/memory.h"

#include <c10/core/CPUAllocator.h>
#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>

namespace gradatim::neural {
namespace {

constexpr std::size_t kCacheLine = 64, kHugePage = std::size_t{2} << 20;
constexpr std::size_t kLeast = std::size_t{64} << 10;  // smaller ones malloc keeps itself

// Hands out what malloc made, without a header: torch's own allocator may free a block of the pool,
// and the pool may be given one of malloc's, as happens with oneDNN's memory.
class Pool final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    if (passes_.load(std::memory_order_relaxed) == 0) return before_->allocate(bytes);
    void* block = taken(bytes);
    if (block == nullptr) block = made(bytes);
    return {block, block, &Pool::put_back, at::Device(at::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &Pool::put_back; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }

  void keep(int change) {
    const std::lock_guard lock(mutex_);
    keepers_ += change;
    if (keepers_ == 0) clear();
  }
  void release() {
    const std::lock_guard lock(mutex_);
    clear();
  }
  void pass(int change) { passes_.fetch_add(change, std::memory_order_relaxed); }

  static Pool& instance() {
    static auto* pool = installed();  // never destroyed: blocks may come back late
    return *pool;
  }

 private:
  static Pool* installed() {
    auto* pool = new Pool;
    c10::SetCPUAllocator(pool);
    return pool;
  }

  // The smallest free block that is large enough, if little of it stays empty: a third, or of large
  // ones what rounding and malloc add, each up to a huge page.
  void* taken(std::size_t bytes) {
    if (bytes < kLeast) return nullptr;
    const std::size_t spare = bytes < kHugePage ? 0 : 2 * kHugePage;
    const std::lock_guard lock(mutex_);
    const auto found = free_.lower_bound(bytes);
    if (found == free_.end() || found->first > bytes + std::max(bytes / 2, spare)) return nullptr;
    void* block = found->second;
    free_.erase(found);
    return block;
  }

  void* made(std::size_t bytes) {
    const std::size_t step = bytes < kHugePage ? kCacheLine : kHugePage;
    const std::size_t whole = std::max<std::size_t>(bytes + step - 1, step) / step * step;
    void* block = std::aligned_alloc(step, whole);
    if (block == nullptr) {
      const std::lock_guard lock(mutex_);
      clear();
      block = std::aligned_alloc(step, whole);
    }
    if (block == nullptr) throw std::bad_alloc();
    if (step == kHugePage) madvise(block, whole, MADV_HUGEPAGE);
    return block;
  }

  static void put_back(void* block) {
    const std::size_t size = malloc_usable_size(block);
    if (size >= kLeast) {
      Pool& pool = instance();
      const std::lock_guard lock(pool.mutex_);
      if (pool.keepers_ > 0) {
        pool.free_.emplace(size, block);
        return;
      }
    }
    std::free(block);
  }

  void clear() {
    for (const auto& [size, block] : free_) std::free(block);
    free_.clear();
  }

  std::mutex mutex_;
  std::multimap<std::size_t, void*> free_;
  int keepers_ = 0;
  std::atomic<int> passes_ = 0;
  c10::Allocator* const before_ = c10::GetCPUAllocator();
};

}  // namespace

KeptMemory::KeptMemory() { Pool::instance().keep(1); }
KeptMemory::~KeptMemory() { Pool::instance().keep(-1); }
PooledMemory::PooledMemory() { Pool::instance().pass(1); }
PooledMemory::~PooledMemory() { Pool::instance().pass(-1); }
void release_pooled_memory() { Pool::instance().release(); }

Tensor ScratchMemory::numbers(at::IntArrayRef sizes) {
  const std::int64_t count = c10::multiply_integers(sizes);
  if (!block_.defined() || block_.numel() < count || block_.numel() > 2 * count) {
    block_.reset();
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(float);
    // Not from malloc, where weights would come to lie behind it, and its place stay a hole.
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    madvise(memory, bytes, MADV_HUGEPAGE);
    block_ = at::from_blob(
        memory, {count}, [bytes](void* given) { munmap(given, bytes); }, at::kFloat);
  }
  return block_.narrow(0, 0, count).view(sizes);
}

}  // namespace gradatim::neural
