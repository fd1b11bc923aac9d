#include "gradatim/data/time_text.h"

#include <fmt/format.h>

#include <chrono>

namespace gradatim::data {
namespace {

constexpr std::int64_t kMicrosecondsADay = 86'400'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes exactly `digits` digits off the front; false leaves the text in an unspecified state.
bool take_number(std::string_view& text, int digits, int& value) {
  if (text.size() < static_cast<std::size_t>(digits)) return false;
  value = 0;
  for (int i = 0; i < digits; ++i) {
    if (!is_digit(text[static_cast<std::size_t>(i)])) return false;
    value = value * 10 + (text[static_cast<std::size_t>(i)] - '0');
  }
  text.remove_prefix(static_cast<std::size_t>(digits));
  return true;
}

bool take_char(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

bool take_date(std::string_view& text, std::int64_t& days) {
  int year = 0;
  int month = 0;
  int day = 0;
  if (!take_number(text, 4, year) || !take_char(text, '-') || !take_number(text, 2, month) ||
      !take_char(text, '-') || !take_number(text, 2, day)) {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 1 || !date.ok()) return false;
  days = std::chrono::sys_days(date).time_since_epoch().count();
  return true;
}

// ".25" as microseconds; no point is zero.
bool take_fraction(std::string_view& text, std::int64_t& microseconds) {
  microseconds = 0;
  if (!take_char(text, '.')) return true;
  std::int64_t unit = 100'000;
  if (text.empty() || !is_digit(text.front())) return false;
  while (!text.empty() && is_digit(text.front())) {
    microseconds += unit * (text.front() - '0');
    unit /= 10;
    text.remove_prefix(1);
  }
  return true;
}

// "", "Z", "+02:00", "+0200", "+02": minutes east of Greenwich.
bool take_zone(std::string_view& text, int& minutes) {
  minutes = 0;
  if (text.empty() || take_char(text, 'Z') || take_char(text, 'z')) return true;
  const bool west = text.front() == '-';
  if (!west && text.front() != '+') return false;
  text.remove_prefix(1);
  int hour = 0;
  int minute = 0;
  if (!take_number(text, 2, hour)) return false;
  take_char(text, ':');
  if (!text.empty() && !take_number(text, 2, minute)) return false;
  if (hour > 23 || minute > 59) return false;
  minutes = (west ? -1 : 1) * (hour * 60 + minute);
  return true;
}

}  // namespace

std::optional<std::int64_t> parse_date(std::string_view text) {
  std::int64_t days = 0;
  if (!take_date(text, days) || !text.empty()) return std::nullopt;
  return days;
}

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  std::int64_t days = 0;
  if (!take_date(text, days)) return std::nullopt;
  if (text.empty()) return days * kMicrosecondsADay;
  if (!take_char(text, 'T') && !take_char(text, ' ')) return std::nullopt;
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::int64_t fraction = 0;
  int zone = 0;
  if (!take_number(text, 2, hour) || !take_char(text, ':') || !take_number(text, 2, minute)) {
    return std::nullopt;
  }
  if (take_char(text, ':') && (!take_number(text, 2, second) || !take_fraction(text, fraction))) {
    return std::nullopt;
  }
  if (!take_zone(text, zone) || !text.empty()) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const std::int64_t seconds = (hour * 60 + minute - zone) * 60 + second;
  return days * kMicrosecondsADay + seconds * 1'000'000 + fraction;
}

std::optional<std::int64_t> parse_day(std::string_view text) {
  const auto time = parse_timestamp(text);
  if (!time) return std::nullopt;
  return *time / kMicrosecondsADay - (*time % kMicrosecondsADay < 0 ? 1 : 0);
}

std::string time_text(std::int64_t value, TimeUnit unit) {
  std::int64_t days = value;
  std::int64_t rest = 0;
  if (unit == TimeUnit::microseconds) {
    days = value / kMicrosecondsADay - (value % kMicrosecondsADay < 0 ? 1 : 0);
    rest = value - days * kMicrosecondsADay;
  }
  // Outside the calendar's years the plain number says more than a wrong date.
  if (days < -719'162 || days > 2'932'896) return std::to_string(value);
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  std::string text =
      fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  if (unit != TimeUnit::microseconds) return text;
  const std::int64_t seconds = rest / 1'000'000;
  text += fmt::format("T{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (const std::int64_t fraction = rest % 1'000'000; fraction != 0) {
    text += fmt::format(".{:06}", fraction);
    while (text.back() == '0') text.pop_back();
  }
  return text;
}

}  // namespace gradatim::data
