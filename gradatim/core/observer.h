// What a long computation tells its caller. The library itself never prints.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gradatim {

/// One round or step that ended: `metrics` are (name, value), such as ("valid.log_loss", 0.41).
struct StepDone {
  std::int64_t step = 0;   // 1-based
  std::int64_t steps = 0;  // planned
  double seconds = 0.0;    // since the start of the fit
  std::vector<std::pair<std::string, double>> metrics;
};

/// Called on the thread that called fit. An exception stops the fit and reaches its caller.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_step(const StepDone& /*event*/) {}
  virtual void on_warning(const std::string& /*text*/) {}
};

}  // namespace gradatim
