#include "gradatim/cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace gradatim::cli {
namespace {

constexpr double kRedraw = 0.1;  // seconds
constexpr int kBarWidth = 24;

// A lost stderr is no reason to fail.
void say(const std::string& text) { std::fputs(text.c_str(), stderr); }

void say_json(nlohmann::ordered_json event, std::optional<int> rank) {
  if (rank) event["rank"] = *rank;
  say(event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

std::string metrics_text(const StepDone& event) {
  std::string text;
  for (const auto& [name, value] : event.metrics) text += fmt::format("  {} {:.5g}", name, value);
  return text;
}

// "0.4 s", "12 s", "3 min 20 s".
std::string duration(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::size_t terminal_width() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

void Progress::on_step(const StepDone& event) {
  last_ = event;
  switch (style_) {
    case LogStyle::quiet: return;
    case LogStyle::json: {
      auto metrics = nlohmann::ordered_json::object();
      for (const auto& [name, value] : event.metrics) metrics[name] = value;
      say_json({{"event", unit_},
                {"step", event.step},
                {"steps", event.steps},
                {"seconds", std::round(event.seconds * 1e3) / 1e3},
                {"metrics", metrics}},
               rank_);
      return;
    }
    case LogStyle::bar: {
      const bool last = event.step == event.steps;
      if (drawn_ < 0.0 || event.seconds - drawn_ >= kRedraw || last) draw(event);
      return;
    }
    case LogStyle::plain: {
      if (event.steps == 0) {  // nobody knows how many: after 1, 2, 4, 8, ...
        if ((event.step & (event.step - 1)) == 0) line(event);
        return;
      }
      const std::int64_t tenth = 10 * event.step / std::max<std::int64_t>(1, event.steps);
      if (tenth > tenth_) line(event);
      tenth_ = tenth;
    }
  }
}

void Progress::draw(const StepDone& event) {
  if (event.steps == 0) {
    say(fmt::format("\r{} {}s  {}\x1b[K", event.step, unit_, duration(event.seconds)));
    bar_open_ = true;
    drawn_ = event.seconds;
    shown_ = event.step;
    return;
  }
  const double share =
      static_cast<double>(event.step) / static_cast<double>(std::max<std::int64_t>(1, event.steps));
  const double rate = static_cast<double>(event.step) / std::max(event.seconds, 1e-9);
  const int full = static_cast<int>(share * kBarWidth);
  std::string text =
      fmt::format("[{}{}] {}/{} {}s", std::string(full, '#'), std::string(kBarWidth - full, '.'),
                  event.step, event.steps, unit_);
  if (event.seconds > 0.0) {
    const double left = static_cast<double>(event.steps - event.step) / rate;
    text += fmt::format("  {:.3g}/s  {} left", rate, duration(left));
  }
  text += metrics_text(event);
  const std::size_t width = terminal_width() - 1;
  if (text.size() > width) text.resize(width);
  say("\r" + text + "\x1b[K");
  bar_open_ = true;
  drawn_ = event.seconds;
  shown_ = event.step;
}

void Progress::line(const StepDone& event) {
  const std::string of = event.steps > 0 ? fmt::format("/{}", event.steps) : std::string();
  say(fmt::format("{} {}{}  {}{}\n", unit_, event.step, of, duration(event.seconds),
                  metrics_text(event)));
  shown_ = event.step;
}

void Progress::on_start(const std::string& text) {
  if (style_ == LogStyle::quiet) return;
  close();
  if (style_ == LogStyle::json) return say_json({{"event", "start"}, {"text", text}}, rank_);
  say(text + "\n");
}

void Progress::on_warning(const std::string& text) {
  if (style_ == LogStyle::quiet) return;
  close();
  if (style_ == LogStyle::json) return say_json({{"event", "warning"}, {"text", text}}, rank_);
  say(fmt::format("note: {}\n", text));
}

void Progress::finish(const std::string& summary) {
  if (last_.step > shown_ && style_ == LogStyle::bar) draw(last_);
  if (last_.step > shown_ && style_ == LogStyle::plain) line(last_);
  close();
  if (style_ == LogStyle::quiet) return;
  if (style_ == LogStyle::json) return say_json({{"event", "done"}, {"text", summary}}, rank_);
  say(summary + "\n");
}

void Progress::close() {
  if (bar_open_) say("\n");
  bar_open_ = false;
}

}  // namespace gradatim::cli
