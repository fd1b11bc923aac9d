// Vec: a batch of states [rows, dims] whose numbers only its Space can see.
//
// A Vec is a counted handle. What it holds (float32, float64, a tensor) is a Storage; when the last
// handle goes, the Storage goes back to the Space that made it, which uses it again: sampling
// allocates nothing after its first steps. Not thread-safe: a batch belongs to one thread.
#pragma once

#include <cstdint>
#include <utility>

namespace gradatim::process {

/// What a Vec holds. A Space derives its own.
class Storage {
 public:
  Storage(std::int64_t rows, std::int64_t dims) : rows_(rows), dims_(dims) {}
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::int64_t rows() const { return rows_; }
  std::int64_t dims() const { return dims_; }

 protected:
  virtual ~Storage() = default;
  /// Nobody holds it any more: frees it, or keeps it for the next Vec.
  virtual void retire() noexcept { delete this; }

 private:
  friend class Vec;
  std::int64_t rows_, dims_;
  std::int64_t holders_ = 0;
};

/// A handle to a batch of states; empty by default. Copies share the numbers, which never change
/// once made.
class Vec {
 public:
  Vec() = default;
  explicit Vec(Storage* storage) : storage_(storage) { hold(); }
  Vec(const Vec& other) : storage_(other.storage_) { hold(); }
  Vec(Vec&& other) noexcept : storage_(std::exchange(other.storage_, nullptr)) {}
  Vec& operator=(Vec other) noexcept {
    std::swap(storage_, other.storage_);
    return *this;
  }
  ~Vec() {
    if (storage_ != nullptr && --storage_->holders_ == 0) storage_->retire();
  }

  bool empty() const { return storage_ == nullptr; }
  std::int64_t rows() const { return storage_ == nullptr ? 0 : storage_->rows(); }
  std::int64_t dims() const { return storage_ == nullptr ? 0 : storage_->dims(); }
  Storage* storage() const { return storage_; }

 private:
  void hold() {
    if (storage_ != nullptr) ++storage_->holders_;
  }
  Storage* storage_ = nullptr;
};

}  // namespace gradatim::process
