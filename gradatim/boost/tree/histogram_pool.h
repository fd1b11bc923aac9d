// Recycles the histograms of nodes that are no longer needed.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace gradatim::boost {

class HistogramPool {
 public:
  /// Every histogram is free again; their size may change.
  void reset(std::int64_t cells) {
    if (cells != cells_) all_.clear();
    cells_ = cells;
    free_.clear();
    for (auto& histogram : all_) free_.push_back(histogram.get());
  }
  /// Cells of any content.
  std::int64_t* take() {
    if (free_.empty()) {
      all_.push_back(std::make_unique_for_overwrite<std::int64_t[]>(cells_));
      return all_.back().get();
    }
    std::int64_t* histogram = free_.back();
    free_.pop_back();
    return histogram;
  }
  void release(std::int64_t* histogram) {
    if (histogram != nullptr) free_.push_back(histogram);
  }

  /// Histograms that are not free.
  std::int64_t in_use() const {
    return static_cast<std::int64_t>(all_.size()) - static_cast<std::int64_t>(free_.size());
  }

 private:
  std::int64_t cells_ = 0;
  std::vector<std::unique_ptr<std::int64_t[]>> all_;
  std::vector<std::int64_t*> free_;
};

}  // namespace gradatim::boost
