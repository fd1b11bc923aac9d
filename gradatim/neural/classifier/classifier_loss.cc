#include "gradatim/neural/classifier/classifier_loss.h"

#include "gradatim/neural/nn/sums.h"

namespace gradatim::neural {

Tensor log_chances_of(const Tensor& output, const Tensor& log_shares, const Tensor& signal) {
  return at::log_softmax(log_shares + output * signal.unsqueeze(1), 1);
}

double learn_labels(Net& net, const LabelTensors& rows, const Tensor& log_shares, double smoothing,
                    std::int64_t all) {
  const Tensor log_p = log_chances_of(net.run(rows.input), log_shares, rows.signal);
  const Tensor q = at::full_like(log_p, smoothing / static_cast<double>(log_p.size(1)));
  const Tensor places = rows.labels.unsqueeze(1);
  q.scatter_add_(1, places, at::full(places.sizes(), 1.0 - smoothing, q.options()));
  const double count = static_cast<double>(all);
  net.backward((log_p.exp() - q).mul_(rows.signal.unsqueeze(1)).div_(count));
  return -sum_of_products(q, log_p) / count;
}

}  // namespace gradatim::neural
