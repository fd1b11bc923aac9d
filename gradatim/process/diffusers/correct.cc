#include "gradatim/process/diffusers/correct.h"

#include "gradatim/process/diffusers/families.h"

namespace gradatim::process::diffusers {

Plan lay_correct(const Config& config, const Request& request,
                 std::vector<std::string>& differences) {
  differences.clear();
  return config.family().lay(config, request);
}

}  // namespace gradatim::process::diffusers
