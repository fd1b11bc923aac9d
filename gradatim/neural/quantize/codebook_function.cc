#include "gradatim/neural/quantize/codebook_function.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "gradatim/neural/nn/kernel/nearest.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kBlockGrain = 4;  // blocks that are worth a thread

std::vector<float> half_squares(const Tensor& table) {
  std::vector<float> made;
  const float* e = table.const_data_ptr<float>();
  for (std::int64_t k = 0; k < table.size(0); ++k, e += table.size(1)) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < table.size(1); ++i) sum += double{e[i]} * double{e[i]};
    made.push_back(static_cast<float>(0.5 * sum));
  }
  return made;
}

kernel::CodeTable table_of(const Tensor& table, const std::vector<float>& half_square) {
  return {table.const_data_ptr<float>(), half_square.data(), table.size(0), table.size(1)};
}

// Calls f(block, first row, rows) for blocks of rows, which do not depend on threads.
template <class F>
void over_code_blocks(std::int64_t rows, const F& f) {
  const std::int64_t blocks = (rows + kernel::kBlock - 1) / kernel::kBlock;
  at::parallel_for(0, blocks, kBlockGrain, [&](std::int64_t begin, std::int64_t end) {
    f(begin, end, [rows](std::int64_t block) {
      return std::min(kernel::kBlock, rows - block * kernel::kBlock);
    });
  });
}

// Numbers of a vector that threads share by whole cache lines.
template <class F>
void over_numbers(std::int64_t dims, const F& f) {
  constexpr std::int64_t kLine = 16;
  at::parallel_for(0, (dims + kLine - 1) / kLine, 1, [&](std::int64_t begin, std::int64_t end) {
    f(begin * kLine, std::min(dims, end * kLine));
  });
}

Found found_of(const Tensor& given, const Tensor& codes_of, bool with_vectors) {
  const Tensor z = given.contiguous(), codes = codes_of.contiguous();
  const std::int64_t rows = z.size(0), dims = z.size(1);
  const auto half_square = half_squares(codes);
  const kernel::CodeTable table = table_of(codes, half_square);
  Found found{at::empty({rows}, at::kLong), with_vectors ? at::empty_like(z) : Tensor()};
  std::vector<double> squares(to_size((rows + kernel::kBlock - 1) / kernel::kBlock));
  const float* const from = z.const_data_ptr<float>();
  auto* const code = found.codes.data_ptr<std::int64_t>();
  float* const to = with_vectors ? found.vectors.data_ptr<float>() : nullptr;
  over_code_blocks(rows, [&](std::int64_t begin, std::int64_t end, const auto& rows_of) {
    std::vector<float> turned(to_size(dims * kernel::kBlock));
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t row = block * kernel::kBlock;
      kernel::nearest(table, from + row * dims, rows_of(block), turned.data(), code + row);
      if (!with_vectors) continue;
      squares[to_size(block)] =
          kernel::gather(table, from + row * dims, rows_of(block), code + row, to + row * dims);
    }
  });
  found.squares = std::accumulate(squares.begin(), squares.end(), 0.0);
  return found;
}

class CodebookFunction : public torch::autograd::Function<CodebookFunction> {
 public:
  static variable_list forward(AutogradContext* context, const Tensor& z, const Tensor& table,
                               const Found& found, double commitment) {
    context->save_for_backward({z, table, found.codes});
    context->saved_data["commitment"] = commitment;
    const bool learned = table.requires_grad();
    const double weight = (commitment + (learned ? 1.0 : 0.0)) / static_cast<double>(z.size(1));
    return {found.vectors, at::scalar_tensor(weight * found.squares, z.options())};
  }

  static variable_list backward(AutogradContext* context, const variable_list& by) {
    const auto saved = context->get_saved_variables();
    const Tensor z = saved[0].contiguous(), codes = saved[1].contiguous(), &of = saved[2];
    const kernel::CodeTable table{codes.const_data_ptr<float>(), nullptr, codes.size(0),
                                  codes.size(1)};
    const double loss = by[1].defined() ? by[1].item<double>() : 0.0;
    const double slope = 2.0 * loss / static_cast<double>(table.dims);
    const auto* const code = of.const_data_ptr<std::int64_t>();
    const float* const from = z.const_data_ptr<float>();
    Tensor by_z, by_table;
    if (context->needs_input_grad(0)) {
      const Tensor by_vectors = by[0].defined() ? by[0].contiguous() : Tensor();
      by_z = at::empty_like(z);
      const auto factor = static_cast<float>(slope * context->saved_data["commitment"].toDouble());
      const float* const given =
          by_vectors.defined() ? by_vectors.const_data_ptr<float>() : nullptr;
      float* const to = by_z.data_ptr<float>();
      over_code_blocks(z.size(0), [&](std::int64_t begin, std::int64_t end, const auto& rows_of) {
        for (std::int64_t block = begin; block < end; ++block) {
          const std::int64_t row = block * kernel::kBlock, at = row * table.dims;
          kernel::pull(table, from + at, rows_of(block), code + row, factor,
                       given != nullptr ? given + at : nullptr, to + at);
        }
      });
    }
    if (context->needs_input_grad(1)) {
      by_table = at::zeros_like(codes);
      over_numbers(table.dims, [&](std::int64_t first, std::int64_t last) {
        kernel::push(table, from, z.size(0), code, static_cast<float>(slope), first, last,
                     by_table.data_ptr<float>());
      });
    }
    return {by_z, by_table, {}, {}};
  }
};

class PassedThrough : public torch::autograd::Function<PassedThrough> {
 public:
  static Tensor forward(AutogradContext* /*context*/, const Tensor& /*z*/, const Tensor& hard) {
    return hard;
  }
  static variable_list backward(AutogradContext* /*context*/, const variable_list& by) {
    return {by[0], {}};
  }
};

}  // namespace

Found find_nearest(const Tensor& z, const Tensor& table) { return found_of(z, table, true); }

Tensor nearest_codes(const Tensor& z, const Tensor& table) {
  return found_of(z, table, false).codes;
}

StraightThrough straight_through(const Tensor& z, const Tensor& table, const Found& found,
                                 double commitment) {
  auto made = CodebookFunction::apply(z, table, found, commitment);
  return {made[0], made[1]};
}

void add_by_code(const Tensor& z, const Tensor& codes, const Tensor& sums) {
  const Tensor from = z.contiguous();
  const auto* const code = codes.const_data_ptr<std::int64_t>();
  over_numbers(from.size(1), [&](std::int64_t first, std::int64_t last) {
    kernel::add_by_code(from.const_data_ptr<float>(), from.size(0), from.size(1), code, first, last,
                        sums.data_ptr<float>());
  });
}

Tensor passed_through(const Tensor& z, const Tensor& hard) {
  return PassedThrough::apply(z, hard.detach());
}

}  // namespace gradatim::neural
