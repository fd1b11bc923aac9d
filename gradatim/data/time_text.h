// Dates and times as ISO 8601 text: "2013-01-31", "2013-01-31T05:00:00.25", "2013-01-31 05:00Z".
//
// Without a zone the time is taken as it stands; with one ("Z", "+02:00") it is converted to UTC.
// The Gregorian calendar is used throughout, years 0001 to 9999. Not a general date parser.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gradatim/data/table.h"

namespace gradatim::data {

/// Days since 1970-01-01; nothing where the text is not exactly YYYY-MM-DD.
std::optional<std::int64_t> parse_date(std::string_view text);
/// The day of a date or a time, as parse_timestamp() reads it.
std::optional<std::int64_t> parse_day(std::string_view text);
/// Microseconds since 1970-01-01T00:00:00; a date alone is its midnight. Finer digits are cut off.
std::optional<std::int64_t> parse_timestamp(std::string_view text);
/// The shortest ISO text of a date or time.
std::string time_text(std::int64_t value, TimeUnit unit);

}  // namespace gradatim::data
