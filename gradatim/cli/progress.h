// Progress on stderr: a bar on a terminal, else a line every tenth of the way, or JSON lines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gradatim/core/observer.h"
#include "gradatim/core/start_observer.h"

namespace gradatim::cli {

enum class LogStyle { bar, plain, json, quiet };

class Progress final : public Observer, public StartObserver {
 public:
  /// `unit` is what a step is called ("round"); `rank` stands in every JSON line, if there is one.
  Progress(LogStyle style, std::string_view unit, std::optional<int> rank = {})
      : style_(style), unit_(unit), rank_(rank) {}
  ~Progress() override { close(); }

  void on_step(const StepDone& event) override;
  void on_warning(const std::string& text) override;
  void on_start(const std::string& text) override;
  /// Shows the last step, if it is not there yet, and what was done.
  void finish(const std::string& summary);
  /// Ends the line of the bar, so that others can write.
  void close();

 private:
  void draw(const StepDone& event);
  void line(const StepDone& event);

  LogStyle style_;
  std::string_view unit_;
  std::optional<int> rank_;
  bool bar_open_ = false;
  double drawn_ = -1.0;      // seconds of the step that the bar shows
  std::int64_t tenth_ = -1;  // of the way, that the last line told
  std::int64_t shown_ = 0;   // step that was shown last
  StepDone last_;
};

}  // namespace gradatim::cli
