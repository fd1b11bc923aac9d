// What an Observer may want to know beside steps: one sentence of what a fit begins with.
#pragma once

#include <string>

namespace gradatim {

/// An Observer that derives from this too is told before the first step.
class StartObserver {
 public:
  virtual ~StartObserver() = default;
  virtual void on_start(const std::string& text) = 0;
};

}  // namespace gradatim
