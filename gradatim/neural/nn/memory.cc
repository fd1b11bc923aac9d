#include "gradatim/neural/nn/memory.h"

#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>

namespace gradatim::neural {
namespace {

constexpr std::size_t kAlignment = 64, kHugePage = std::size_t{2} << 20;
constexpr std::size_t kLeast = std::size_t{64} << 10;  // smaller ones malloc keeps itself

class Pool final : public c10::Allocator {
 public:
  // In front of what is handed out.
  struct alignas(kAlignment) Block {
    std::size_t size;
  };

  c10::DataPtr allocate(std::size_t bytes) override {
    Block* block = taken(bytes);
    if (block == nullptr) block = made(bytes);
    return {block + 1, block, &Pool::put_back, at::Device(at::kCPU)};
  }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }

  void keep(int change) {
    const std::lock_guard lock(mutex_);
    keepers_ += change;
    if (keepers_ == 0) clear();
  }
  void install(int change) {
    const std::lock_guard lock(mutex_);
    if (installed_ == 0) before_ = c10::GetCPUAllocator();
    installed_ += change;
    c10::SetCPUAllocator(installed_ > 0 ? this : before_);
  }

  static Pool& instance() {
    static auto* pool = new Pool;  // never destroyed: blocks may come back late
    return *pool;
  }

 private:
  // The smallest free block that is not half empty.
  Block* taken(std::size_t bytes) {
    if (bytes < kLeast) return nullptr;
    const std::lock_guard lock(mutex_);
    const auto found = free_.lower_bound(bytes);
    if (found == free_.end() || found->first > bytes + bytes / 2) return nullptr;
    Block* block = found->second;
    free_.erase(found);
    return block;
  }

  Block* made(std::size_t bytes) {
    const std::size_t step = bytes < kHugePage ? kAlignment : kHugePage;
    const std::size_t whole = (bytes + sizeof(Block) + step - 1) / step * step;
    void* room = std::aligned_alloc(step, whole);
    if (room == nullptr) {
      const std::lock_guard lock(mutex_);
      clear();
      room = std::aligned_alloc(step, whole);
    }
    if (room == nullptr) throw std::bad_alloc();
    if (step == kHugePage) madvise(room, whole, MADV_HUGEPAGE);
    return new (room) Block{whole - sizeof(Block)};
  }

  static void put_back(void* context) {
    auto* block = static_cast<Block*>(context);
    Pool& pool = instance();
    if (block->size >= kLeast) {
      const std::lock_guard lock(pool.mutex_);
      if (pool.keepers_ > 0) {
        pool.free_.emplace(block->size, block);
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
  std::multimap<std::size_t, Block*> free_;
  int keepers_ = 0, installed_ = 0;
  c10::Allocator* before_ = nullptr;
};

}  // namespace

KeptMemory::KeptMemory() { Pool::instance().keep(1); }
KeptMemory::~KeptMemory() { Pool::instance().keep(-1); }
PooledMemory::PooledMemory() { Pool::instance().install(1); }
PooledMemory::~PooledMemory() { Pool::instance().install(-1); }

}  // namespace gradatim::neural
