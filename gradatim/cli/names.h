// Public names that verbs look up in the registry.
#pragma once

#include <string>
#include <vector>

#include "gradatim/api/registry.h"
#include "gradatim/cli/cli.h"

namespace gradatim::cli {

/// The model of this name; GRD-1001 with the nearest one.
const api::Entry& model_entry(const std::string& name);
std::vector<std::string> model_names();
/// The metric of this name, short or whole; GRD-1001 with the nearest one.
const api::Entry& metric_entry(const std::string& name);
/// The names of --metric, checked.
std::vector<std::string> metric_names(const Arguments& arguments);

/// Whether some component has a setting or a part of that name.
bool is_setting_name(const std::string& name);
/// The settings and parts of a component and of its default parts, without prefixes.
std::vector<std::string> option_names_of(const api::Entry& entry);

}  // namespace gradatim::cli
