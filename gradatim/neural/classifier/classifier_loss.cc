#include "gradatim/neural/classifier/classifier_loss.h"

namespace gradatim::neural {

double learn_labels(Net& net, const NetInput& input, const Tensor& labels, double smoothing,
                    std::int64_t all) {
  const Tensor log_p = at::log_softmax(net.run(input), 1);  // [rows, classes]
  const Tensor q = at::full_like(log_p, smoothing / static_cast<double>(log_p.size(1)));
  const Tensor places = labels.unsqueeze(1);
  q.scatter_add_(1, places, at::full(places.sizes(), 1.0 - smoothing, q.options()));
  const double rows = static_cast<double>(all);
  net.backward((log_p.exp() - q).div_(rows));
  return -at::dot(q.flatten(), log_p.flatten()).item<double>() / rows;
}

}  // namespace gradatim::neural
