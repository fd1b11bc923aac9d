#include "gradatim/cli/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>

#include "gradatim/cli/group.h"
#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/text.h"
#include "gradatim/dist/launch.h"

namespace gradatim::cli {
namespace {

LogStyle log_style(const Arguments& arguments) {
  const std::string asked = arguments.text("log");
  if (asked == "plain") return LogStyle::plain;
  if (asked == "json") return LogStyle::json;
  if (asked == "quiet") return LogStyle::quiet;
  const std::vector<std::string> styles = {"plain", "json", "quiet"};
  GRADATIM_CHECK(!arguments.has("log"), UsageError, 1005,
                 "--log must be one of plain, json, quiet; got '{}'{}", asked,
                 did_you_mean(asked, styles));
  return isatty(STDERR_FILENO) != 0 ? LogStyle::bar : LogStyle::plain;
}

int threads_of(const Arguments& arguments) {
  return static_cast<int>(arguments.integer("threads", share_of_threads(), 0, 1024));
}

// Of several processes of a machine, each has a device of its own unless one is named.
std::string device_of(const Arguments& arguments) {
  const std::string asked = arguments.text("device", "cpu");
  const auto launch = dist::launched();
  const bool shared = asked == "cuda" && launch && launch->local_size > 1;
  return shared ? fmt::format("cuda:{}", launch->local_rank) : asked;
}

}  // namespace

Session::Session(const Arguments& arguments, std::string_view unit)
    : threads_(threads_of(arguments)),
      group_(join_group(arguments)),
      seed_(static_cast<std::uint64_t>(arguments.integer("seed", 0, 0))),
      device_(device_of(arguments)),
      progress_(group_ && group_->rank() != 0 ? LogStyle::quiet : log_style(arguments), unit,
                group_ ? std::optional(group_->rank()) : std::nullopt) {}

void Session::check_no_device(std::string_view why) const {
  GRADATIM_CHECK(device_ == "cpu", UsageError, 1163, "--device is where {}; leave it out", why);
}

void check_writable(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  GRADATIM_CHECK(!fs::is_directory(path, ignored), DataError, 2002,
                 "cannot write '{}': it is a folder; name a file in it", path);
  auto folder = fs::path(path).parent_path();
  if (folder.empty()) folder = ".";
  GRADATIM_CHECK(fs::is_directory(folder, ignored), DataError, 2002,
                 "cannot write '{}': there is no folder '{}'; make it first", path,
                 folder.string());
  const bool allowed = ::access(folder.c_str(), W_OK) == 0 || ::access(path.c_str(), W_OK) == 0;
  GRADATIM_CHECK(allowed, DataError, 2002, "cannot write '{}': {}", path, std::strerror(errno));
}

void write_result(const std::string& out, std::string_view bytes) {
  if (out != "-") return write_atomically(out, bytes);
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
  GRADATIM_CHECK(written, DataError, 2002, "cannot write to standard output: {}",
                 std::strerror(errno));
}

}  // namespace gradatim::cli
