#include "gradatim/boost/metric/find.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/api/registry.h"
#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::boost {
namespace {

bool has_tag(const api::Entry& metric, std::string_view tag) {
  return metric.text.tags.find(tag) != std::string_view::npos;
}

bool is_own(const api::Entry& metric, const Scored& scored) {
  return scored.loss != nullptr && scored.loss->default_metric() == metric.text.name;
}

bool suits(const api::Entry& metric, const Scored& scored) {
  if (is_own(metric, scored)) return true;
  if (scored.task.classification()) {
    return has_tag(metric, "classification") ||
           (has_tag(metric, "binary") && scored.task.class_count() == 2);
  }
  if (has_tag(metric, "binary")) return scored.loss != nullptr && scored.loss->predicts_chances();
  return has_tag(metric, "regression") && (scored.columns == 1 || has_tag(metric, "many"));
}

std::shared_ptr<const Metric> make_metric(const api::Entry& entry, const Scored& scored) {
  api::Settings settings{.component = std::string(entry.text.name)};
  if (is_own(entry, scored)) settings.values = scored.loss->metric_settings();
  return api::build_as<Metric>(settings);
}

std::string described(const Scored& scored) {
  if (scored.task.classification()) return fmt::format("{} classes", scored.task.class_count());
  return scored.columns == 1 ? "a numeric target"
                             : fmt::format("{} predictions of a number", scored.columns);
}

[[noreturn]] void refuse_metric(const api::Entry& metric, const Scored& scored) {
  std::vector<std::string> names;
  for (const api::Entry* entry : api::Registry::instance().list(Metric::kKind)) {
    if (!suits(*entry, scored)) continue;
    names.emplace_back(entry->text.name.substr(entry->text.name.rfind('.') + 1));
  }
  throw UsageError(
      1025, fmt::format("{} does not suit {}; there {} {}", metric.text.name, described(scored),
                        names.size() == 1 ? "is" : "are", join_and(names)));
}

void check_distinct(const std::vector<std::string>& names,
                    const std::vector<std::shared_ptr<const Metric>>& metrics) {
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto [first, fresh] = places.emplace(metrics[i]->short_name(), i);
    GRADATIM_CHECK(fresh, UsageError, 1042,
                   "the metrics '{}' and '{}' would both be recorded as '{}'; leave one out, or "
                   "give your own another name",
                   names[first->second], names[i], first->first);
  }
}

}  // namespace

std::vector<std::shared_ptr<const Metric>> find_metrics(
    const std::vector<std::string>& names, const Scored& scored,
    const std::map<std::size_t, api::Made>& own) {
  std::vector<std::shared_ptr<const Metric>> metrics;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i];
    if (const auto given = own.find(i); given != own.end()) {
      metrics.push_back(std::static_pointer_cast<const Metric>(given->second));
      continue;
    }
    const api::Entry& entry = api::Registry::instance().get(name, Metric::kKind);
    if (!suits(entry, scored)) refuse_metric(entry, scored);
    metrics.push_back(make_metric(entry, scored));
  }
  check_distinct(names, metrics);
  if (!names.empty()) return metrics;
  for (const api::Entry* entry : api::Registry::instance().list(Metric::kKind)) {
    const bool usual =
        has_tag(*entry, "usual") && !(has_tag(*entry, "binary") && !scored.task.classification());
    const bool shown = usual || is_own(*entry, scored);
    if (shown && suits(*entry, scored)) metrics.push_back(make_metric(*entry, scored));
  }
  return metrics;
}

}  // namespace gradatim::boost
