// What the comparisons of exports and of their settings share.
#pragma once

#include <fmt/format.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradatim/api/compat/compare.h"

namespace gradatim::api::compat::internal {

/// Collects the changes of one export; sentences are completed with its name.
class Recorder {
 public:
  explicit Recorder(std::string component) : component_(std::move(component)) {}

  void compatible(std::string_view subject, std::string_view what, std::string_view sentence) {
    add(subject, what, sentence, false, true);
  }
  void breaking(std::string_view subject, std::string_view what, std::string_view sentence) {
    add(subject, what, sentence, true, true);
  }
  /// A name that went away; `kept` where it had been deprecated or lives on as an alias.
  void removed(std::string_view subject, bool kept, std::string_view sentence,
               std::string_view what = "removed") {
    add(subject, what, sentence, true, kept);
  }

  std::vector<Change> changes;

 private:
  void add(std::string_view subject, std::string_view what, std::string_view sentence,
           bool breaking, bool kept) {
    changes.push_back({component_, std::string(subject), std::string(what), breaking, kept,
                       fmt::format("{}: {}", component_, sentence), false});
  }
  std::string component_;
};

bool contains(std::span<const std::string> names, std::string_view name);
void compare_setting(const SettingSurface& old, const SettingSurface& fresh, Recorder& record);

}  // namespace gradatim::api::compat::internal
