// Quantisers of codebooks: one, several one behind the other, or one for each part of a vector.
#include "gradatim/neural/quantizer/books.h"

#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/quantize/codebook.h"

namespace gradatim::neural {
namespace {

class Books : public VectorQuantizer {
 public:
  Books(const Scope& scope, std::int64_t books, std::int64_t dims, const CodebookConfig& config) {
    for (std::int64_t k = 0; k < books; ++k) {
      books_.emplace_back(books == 1 ? scope : scope / "books" / k, dims, config, k);
      sizes_.push_back(config.codes);
    }
  }
  std::span<const std::int64_t> sizes() const override { return sizes_; }
  void update(const QuantizeStep& /*step*/) override {
    for (Codebook& book : books_) book.update();
  }

 protected:
  std::vector<Codebook> books_;

 private:
  std::vector<std::int64_t> sizes_;
};

// Each book stands for what those before it have left over; with one book, for the vector.
class ResidualBooks final : public Books {
 public:
  using Books::Books;

  void start(const Tensor& z, std::uint64_t seed) override {
    Tensor rest = z;
    for (Codebook& book : books_) {
      book.start(rest, seed);
      rest = rest - book.decode(book.codes(rest));
    }
  }

  // The gradient goes through once, by the first book.
  Quantized quantize(const Tensor& z, const QuantizeStep& step) override {
    Quantized all = books_.front().quantize(z, step);
    if (books_.size() == 1) return {all.codes.unsqueeze(1), all.vectors, all.loss};
    std::vector<Tensor> codes{all.codes};
    Tensor rest = z - all.vectors.detach();
    for (auto book = books_.begin() + 1; book != books_.end(); ++book) {
      const Quantized more = book->quantize(rest, step);
      const Tensor vectors = more.vectors.detach();
      codes.push_back(more.codes);
      all.vectors = all.vectors + vectors;
      all.loss = all.loss + more.loss;
      rest = rest - vectors;
    }
    return {at::stack(codes, 1), all.vectors, all.loss};
  }

  Tensor codes(const Tensor& z) const override {
    if (books_.size() == 1) return books_.front().codes(z).unsqueeze(1);
    std::vector<Tensor> codes;
    Tensor rest = z;
    for (const Codebook& book : books_) {
      codes.push_back(book.codes(rest));
      rest = rest - book.decode(codes.back());
    }
    return at::stack(codes, 1);
  }

  Tensor decode(const Tensor& codes) const override {
    Tensor sum = books_.front().decode(codes.select(1, 0));
    for (std::size_t k = 1; k < books_.size(); ++k) {
      sum = sum + books_[k].decode(codes.select(1, static_cast<std::int64_t>(k)));
    }
    return sum;
  }
};

// Each book stands for a part of the vector.
class ProductBooks final : public Books {
 public:
  ProductBooks(const Scope& scope, std::int64_t books, std::int64_t dims,
               const CodebookConfig& config)
      : Books(scope, books, dims / books, config) {}

  void start(const Tensor& z, std::uint64_t seed) override {
    for (std::size_t k = 0; k < books_.size(); ++k) books_[k].start(part(z, k), seed);
  }

  // The mean over all dims of a vector is the mean of those of its parts.
  Quantized quantize(const Tensor& z, const QuantizeStep& step) override {
    std::vector<Tensor> codes, vectors;
    Tensor loss;
    for (std::size_t k = 0; k < books_.size(); ++k) {
      const Quantized each = books_[k].quantize(part(z, k), step);
      codes.push_back(each.codes);
      vectors.push_back(each.vectors);
      loss = loss.defined() ? loss + each.loss : each.loss;
    }
    return {at::stack(codes, 1), at::cat(vectors, 1), loss / static_cast<double>(books_.size())};
  }

  Tensor codes(const Tensor& z) const override {
    std::vector<Tensor> codes;
    for (std::size_t k = 0; k < books_.size(); ++k) codes.push_back(books_[k].codes(part(z, k)));
    return at::stack(codes, 1);
  }

  Tensor decode(const Tensor& codes) const override {
    std::vector<Tensor> parts;
    for (std::size_t k = 0; k < books_.size(); ++k) {
      parts.push_back(books_[k].decode(codes.select(1, static_cast<std::int64_t>(k))));
    }
    return at::cat(parts, 1);
  }

 private:
  Tensor part(const Tensor& z, std::size_t book) const {
    const std::int64_t width = z.size(1) / std::ssize(books_);
    return z.narrow(1, static_cast<std::int64_t>(book) * width, width);
  }
};

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeQuantizer gradatim_make_nearest;
gradatim::neural::MakeQuantizer gradatim_make_moving_average;
gradatim::neural::MakeQuantizer gradatim_make_product_quantizer;
gradatim::neural::MakeQuantizer gradatim_make_residual_quantizer;

gradatim::neural::VectorQuantizer* gradatim_make_nearest(const void* config,
                                                         const gradatim::neural::Scope& scope,
                                                         std::int64_t dims) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const NearestConfig*>(config);
  return new ResidualBooks(scope, 1, dims, codebook_of(own, true));
}

gradatim::neural::VectorQuantizer* gradatim_make_moving_average(
    const void* config, const gradatim::neural::Scope& scope, std::int64_t dims) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const MovingAverageConfig*>(config);
  return new ResidualBooks(scope, 1, dims, codebook_of(own, false));
}

gradatim::neural::VectorQuantizer* gradatim_make_product_quantizer(
    const void* config, const gradatim::neural::Scope& scope, std::int64_t dims) {
  using namespace gradatim;
  using namespace gradatim::neural;
  const auto& own = *static_cast<const ProductQuantizerConfig*>(config);
  GRADATIM_CHECK(dims % own.books == 0, UsageError, 1147,
                 "{} books do not divide vectors of {} numbers into equal parts; take a number of "
                 "books that does",
                 own.books, dims);
  return new ProductBooks(scope, own.books, dims, codebook_of(own, own.learned));
}

gradatim::neural::VectorQuantizer* gradatim_make_residual_quantizer(
    const void* config, const gradatim::neural::Scope& scope, std::int64_t dims) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const ResidualQuantizerConfig*>(config);
  return new ResidualBooks(scope, own.books, dims, codebook_of(own, own.learned));
}
}
