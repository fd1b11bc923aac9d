// Settings from options as a person types them.
#include "gradatim/api/internal/locate.h"
#include "gradatim/api/settings.h"
#include "gradatim/core/text.h"

namespace gradatim::api {

Settings parse_settings(std::string_view component, std::span<const Option> options,
                        const Registry& registry) {
  std::vector<internal::Assignment> assignments;
  for (const auto& [path, text] : options) {
    assignments.push_back(
        {path, std::string(trim(text)), [&text = text](const Entry& entry, const Setting& setting) {
           return parse_value(entry, setting, text);
         }});
  }
  return internal::assign(component, assignments, registry);
}

}  // namespace gradatim::api
