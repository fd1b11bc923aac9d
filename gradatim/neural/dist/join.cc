#include "gradatim/neural/dist/join.h"

#include "gradatim/neural/library.h"

namespace gradatim::neural {

std::shared_ptr<dist::Group> join(const dist::Launch& launch) {
  return neural_function<JoinGroup>("gradatim_join")(launch);
}

}  // namespace gradatim::neural
