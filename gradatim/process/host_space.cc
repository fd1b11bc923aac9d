#include "gradatim/process/host_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <new>
#include <stdexcept>

#include "gradatim/core/error.h"
#include "gradatim/core/math.h"
#include "gradatim/core/parallel.h"
#include "gradatim/process/host_combine.h"

namespace gradatim::process {

Vec Space::combine(const Form& form) {
  Vec result;
  combine({&form, 1}, {&result, 1});
  return result;
}

// Blocks that nobody holds, to be used again. A block in use keeps its pool alive.
template <class T>
struct HostSpace<T>::Pool {
  std::vector<Block*> free;
  std::int64_t allocations = 0;
  ~Pool() {
    for (Block* block : free) delete block;
  }
};

template <class T>
class HostSpace<T>::Block final : public Storage {
 public:
  Block(std::int64_t rows, std::int64_t dims)
      : Storage(rows, dims),
        own_(static_cast<T*>(
            ::operator new(static_cast<std::size_t>(rows* dims) * sizeof(T), host::kAlignment))),
        data_(own_.get()) {}
  Block(const T* data, std::int64_t rows, std::int64_t dims, std::shared_ptr<const void> owner)
      : Storage(rows, dims), owner_(std::move(owner)), data_(const_cast<T*>(data)) {}
  ~Block() override = default;

  T* data() const { return data_; }
  std::shared_ptr<Pool> pool;  // null while it lies in one

 protected:
  void retire() noexcept override {
    if (const std::shared_ptr<Pool> home = std::move(pool)) {
      home->free.push_back(this);
    } else {
      delete this;
    }
  }

 private:
  struct Free {
    void operator()(T* memory) const { ::operator delete(memory, host::kAlignment); }
  };
  std::unique_ptr<T, Free> own_;  // not zeroed: whoever makes a state writes all of it
  std::shared_ptr<const void> owner_;
  T* data_;
};

template <class T>
HostSpace<T>::HostSpace(std::shared_ptr<NoiseSource> noise, std::int64_t first_row)
    : noise_(std::move(noise)), first_row_(first_row), pool_(std::make_shared<Pool>()) {
  pool_->free.reserve(64);
}

template <class T>
HostSpace<T>::~HostSpace() = default;

template <class T>
Vec HostSpace<T>::make(std::int64_t rows, std::int64_t dims) {
  auto& free = pool_->free;
  const auto found = std::find_if(free.rbegin(), free.rend(), [&](const Block* block) {
    return block->rows() == rows && block->dims() == dims;
  });
  Block* block = nullptr;
  if (found != free.rend()) {
    block = *found;
    free.erase(std::next(found).base());
  } else {
    block = new Block(rows, dims);
    ++pool_->allocations;
  }
  block->pool = pool_;
  return Vec(block);
}

template <class T>
Vec HostSpace<T>::borrow(const T* data, std::int64_t rows, std::int64_t dims,
                         std::shared_ptr<const void> owner) {
  return Vec(new Block(data, rows, dims, std::move(owner)));
}

template <class T>
const T* HostSpace<T>::data(const Vec& x) {
  return static_cast<const Block*>(x.storage())->data();
}

template <class T>
T* HostSpace<T>::writable(const Vec& x) {
  return static_cast<const Block*>(x.storage())->data();
}

template <class T>
std::int64_t HostSpace<T>::allocations() const {
  return pool_->allocations;
}

namespace {

// A form as the kernel wants it: pointers, and where a factor differs by row, where it stands.
template <class T>
struct Lowered {
  host::Sum<T> sum;
  std::array<std::span<const double>, Form::kMost> rows;
  bool by_row = false;
};

template <class T>
Lowered<T> lower(const Form& form, T* out) {
  Lowered<T> lowered;
  lowered.sum.out = out;
  for (const Term& term : form.terms()) {
    auto& sum = lowered.sum;
    lowered.rows[static_cast<std::size_t>(sum.terms)] = term.rows;
    lowered.by_row |= !term.rows.empty();
    sum.c[sum.terms] = term.c;
    sum.x[sum.terms] = HostSpace<T>::data(term.x);
    sum.weight[sum.terms] = term.weight.empty() ? nullptr : HostSpace<T>::data(term.weight);
    ++sum.terms;
  }
  if (const NoiseTerm* noise = form.noise()) {
    lowered.sum.noise = noise->c;
    lowered.sum.noise_weight = noise->weight.empty() ? nullptr : HostSpace<T>::data(noise->weight);
  }
  return lowered;
}

std::pair<std::int64_t, std::int64_t> shape_of(std::span<const Form> forms) {
  for (const Form& form : forms) {
    for (const Term& term : form.terms()) return {term.x.rows(), term.x.dims()};
  }
  throw std::logic_error("a form of no terms has no shape");
}

// Results this large leave the caches before anyone reads them.
constexpr std::int64_t kLarge = 1 << 22;
constexpr std::int64_t kChunk = 4096;  // elements: the inputs of one chunk stay in the first cache

}  // namespace

template <class T>
bool HostSpace<T>::combine(std::span<const Form> forms, std::span<Vec> out) {
  const auto [rows, dims] = shape_of(forms);
  std::array<Lowered<T>, 4> sums;
  std::array<Draw, 4> draws;
  std::vector<double> drawn;  // of sources that only give whole batches
  Vec made[4];
  if (forms.size() > sums.size()) throw std::logic_error("more forms than one pass takes");
  bool by_row = false;
  const bool large = rows * dims >= kLarge;
  for (std::size_t i = 0; i < forms.size(); ++i) {
    made[i] = make(rows, dims);
    sums[i] = lower<T>(forms[i], writable(made[i]));
    sums[i].sum.past_caches = large;
    by_row |= sums[i].by_row;
    if (const NoiseTerm* noise = forms[i].noise()) {
      draws[i] = noise->draw;
      if (noise_ == nullptr) throw std::logic_error("noise is wanted of a space without a source");
      if (noise_->in_order()) {
        if (!drawn.empty()) throw std::logic_error("two draws of one pass");
        drawn.resize(static_cast<std::size_t>(rows * dims));
        noise_->whole(noise->draw, first_row_, dims, drawn);
      }
    }
  }
  if (rows * dims == 0) {
    std::copy_n(made, forms.size(), out.begin());
    return true;
  }
  // A chunk is a part of one row where rows are long or factors differ by row, else some rows.
  const bool within = by_row || dims >= kChunk;
  const std::int64_t chunk = within ? std::min(dims, kChunk) : kChunk / dims * dims;
  const std::int64_t per_row = within ? (dims + chunk - 1) / chunk : 1;
  const std::int64_t chunks = within ? rows * per_row : (rows * dims + chunk - 1) / chunk;
  std::atomic<bool> finite{true};
  const auto work = [&](std::int64_t begin, std::int64_t end) {
    std::array<double, kChunk> fresh;
    std::array<T, kChunk> noise;
    bool good = true;
    for (std::int64_t k = begin; k < end; ++k) {
      const std::int64_t row = within ? k / per_row : k * chunk / dims;
      const std::int64_t first = within ? k % per_row * chunk : 0;
      const std::int64_t offset = row * dims + first;
      const std::int64_t count =
          within ? std::min(chunk, dims - first) : std::min(chunk, rows * dims - offset);
      for (std::size_t i = 0; i < forms.size(); ++i) {
        host::Sum<T> sum = sums[i].sum;
        if (sums[i].by_row) {
          for (int j = 0; j < sum.terms; ++j) {
            const auto& factors = sums[i].rows[static_cast<std::size_t>(j)];
            if (!factors.empty()) sum.c[j] *= factors[static_cast<std::size_t>(row)];
          }
        }
        if (sum.noise != 0.0) {
          const std::span part(fresh.data(), static_cast<std::size_t>(count));
          if (!drawn.empty()) {
            std::copy_n(drawn.begin() + offset, count, fresh.begin());
          } else if (within) {
            noise_->part(draws[i], first_row_ + row, dims, first, part);
          } else {
            noise_->whole(draws[i], first_row_ + row, dims, part);
          }
          std::transform(part.begin(), part.end(), noise.begin(),
                         [](double z) { return static_cast<T>(z); });
        }
        good &= host::add_up(sum, noise.data(), offset, count);
      }
    }
    if (!good) finite = false;
  };
  // Threads pay from about 64 thousand elements on.
  if (chunks * chunk < 16 * kChunk) {
    work(0, chunks);
  } else {
    parallel_for(chunks, 8, work);
  }
  for (std::size_t i = 0; i < forms.size(); ++i) out[i] = std::move(made[i]);
  return finite;
}

template <class T>
void HostSpace<T>::reduce(Reduction kind, const Vec& x, const Vec& y, double level,
                          std::span<double> out) {
  const std::int64_t dims = x.dims();
  std::vector<double> sorted;
  for (std::int64_t row = 0; row < x.rows(); ++row) {
    const T* a = data(x) + row * dims;
    double& result = out[static_cast<std::size_t>(row)];
    switch (kind) {
      case Reduction::dot: result = host::dot(a, data(y) + row * dims, dims); break;
      case Reduction::rms:
        result = std::sqrt(host::dot(a, a, dims) / static_cast<double>(dims));
        break;
      case Reduction::deviation: result = host::deviation(a, dims); break;
      case Reduction::abs_quantile: {
        sorted.resize(static_cast<std::size_t>(dims));
        std::transform(a, a + dims, sorted.begin(), [](T v) { return std::abs(double{v}); });
        const double place = level * static_cast<double>(dims - 1);
        const auto below = static_cast<std::ptrdiff_t>(place);
        std::nth_element(sorted.begin(), sorted.begin() + below, sorted.end());
        const double low = sorted[static_cast<std::size_t>(below)];
        const bool last = below + 1 >= dims;
        const double high =
            last ? low : *std::min_element(sorted.begin() + below + 1, sorted.end());
        result = low + (place - static_cast<double>(below)) * (high - low);
        break;
      }
    }
  }
}

template <class T>
void HostSpace<T>::error_rms(const Vec& e, const Vec& x, const Vec& y, double atol, double rtol,
                             std::span<double> out) {
  const std::int64_t dims = e.dims();
  for (std::int64_t row = 0; row < e.rows(); ++row) {
    double sum = 0.0;
    for (std::int64_t i = row * dims; i < (row + 1) * dims; ++i) {
      const double size = std::max(std::abs(double{data(x)[i]}), std::abs(double{data(y)[i]}));
      const double part = double{data(e)[i]} / (atol + rtol * size);
      sum += part * part;
    }
    out[static_cast<std::size_t>(row)] = std::sqrt(sum / static_cast<double>(dims));
  }
}

template <class T>
Vec HostSpace<T>::clamp(const Vec& x, std::span<const double> bound) {
  Vec result = make(x.rows(), x.dims());
  for (std::int64_t row = 0; row < x.rows(); ++row) {
    const auto most = static_cast<T>(bound[static_cast<std::size_t>(row)]);
    for (std::int64_t i = row * x.dims(); i < (row + 1) * x.dims(); ++i) {
      writable(result)[i] = std::clamp(data(x)[i], -most, most);
    }
  }
  return result;
}

template <class T>
Vec HostSpace<T>::exp(const Vec& x) {
  Vec result = make(x.rows(), x.dims());
  std::transform(data(x), data(x) + x.rows() * x.dims(), writable(result),
                 [](T v) { return static_cast<T>(math::exp(double{v})); });
  return result;
}

template <class T>
Vec HostSpace<T>::take(const Vec& x, std::span<const std::int64_t> rows) {
  Vec result = make(static_cast<std::int64_t>(rows.size()), x.dims());
  T* to = writable(result);
  for (const std::int64_t row : rows) to = std::copy_n(data(x) + row * x.dims(), x.dims(), to);
  return result;
}

template <class T>
Vec HostSpace<T>::put(const Vec& x, std::span<const std::int64_t> rows, const Vec& values) {
  Vec result = make(x.rows(), x.dims());
  std::copy_n(data(x), x.rows() * x.dims(), writable(result));
  const T* from = data(values);
  for (const std::int64_t row : rows) {
    std::copy_n(from, x.dims(), writable(result) + row * x.dims());
    from += x.dims();
  }
  return result;
}

template <class T>
Vec HostSpace<T>::from(std::span<const double> values, std::int64_t rows, std::int64_t dims) {
  Vec result = make(rows, dims);
  std::transform(values.begin(), values.end(), writable(result),
                 [](double v) { return static_cast<T>(v); });
  return result;
}

template <class T>
void HostSpace<T>::copy_out(const Vec& x, std::span<double> out) {
  std::copy_n(data(x), x.rows() * x.dims(), out.data());
}

template <class T>
Vec HostSpace<T>::normal(Draw draw, std::int64_t rows, std::int64_t dims) {
  if (noise_ == nullptr) throw std::logic_error("noise is wanted of a space without a source");
  std::vector<double> drawn(static_cast<std::size_t>(rows * dims));
  noise_->whole(draw, first_row_, dims, drawn);
  return from(drawn, rows, dims);
}

template class HostSpace<float>;
template class HostSpace<double>;

}  // namespace gradatim::process
