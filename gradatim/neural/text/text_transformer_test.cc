#include "gradatim/neural/text/text_transformer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "gradatim/core/error.h"
#include "gradatim/core/safetensors.h"

namespace gradatim::neural {
namespace {

constexpr TextConfig kTinyText{
    .width = 6, .layers = 2, .heads = 2, .inner = 10, .tokens = 5, .vocabulary = 11};

// A transformer whose parameters are packed and drawn.
struct PackedText {
  Parameters parameters;
  TextTransformer transformer;

  explicit PackedText(const TextConfig& config) : transformer(Scope(parameters), config) {
    parameters.pack();
    parameters.init(7);
  }
};

// As formula() of tests/parity/text_cases.py.
void fill_by_formula(Parameters& parameters) {
  for (const auto& item : parameters.items()) {
    double start = 0.0;
    for (const char letter : item.name) start += 0.1 * letter;
    const bool gain = item.name.find("norm") != std::string::npos && item.name.ends_with("weight");
    const Tensor waves =
        at::sin(start + 0.618 * at::arange(item.value.numel(), at::kDouble)).view_as(item.value);
    const at::NoGradGuard plain;
    item.value.copy_(gain ? 1.0 + 0.2 * waves : 0.4 * waves);
  }
}

Tensor ids_of(std::initializer_list<std::int64_t> numbers, std::int64_t rows) {
  return at::tensor(std::vector<std::int64_t>(numbers), at::kLong).view({rows, -1});
}

double largest_gap(const Tensor& a, const Tensor& b) {
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

TEST(TextTransformer, GivesTheNumbersOfTransformers) {
  struct Case {
    TextActivation activation;
    std::int64_t skip;
    std::vector<float> numbers;  // of every other token, every third
  };
  const Case cases[] = {
      {TextActivation::quick_gelu,
       0,
       {0.85764903F, -0.73871040F, 1.55785060F, -0.40128729F, 1.73019636F, -0.16045265F,
        0.85764921F, -0.73871040F, 1.52518857F, 0.01127510F, 1.73368847F, -0.18321954F}},
      {TextActivation::quick_gelu,
       1,
       {0.27096698F, -0.60857075F, 1.33974802F, -0.68405277F, 1.63706303F, -0.13060284F,
        0.27096686F, -0.60857105F, 1.32860672F, 0.22197290F, 1.68274045F, -0.15285979F}},
      {TextActivation::gelu,
       0,
       {0.85568357F, -0.73847669F, 1.55880511F, -0.40153942F, 1.73019290F, -0.16042499F,
        0.85568368F, -0.73847651F, 1.52451634F, 0.01169539F, 1.73377597F, -0.18326005F}},
      {TextActivation::gelu,
       1,
       {0.26823208F, -0.60767001F, 1.34083962F, -0.68422914F, 1.63702726F, -0.13056643F,
        0.26823208F, -0.60767001F, 1.32762265F, 0.22276720F, 1.68276751F, -0.15288877F}},
  };
  const Tensor ids = ids_of({9, 3, 7, 10, 10, 9, 1, 10, 0, 0}, 2);
  for (const Case& each : cases) {
    TextConfig config = kTinyText;
    config.activation = each.activation;
    PackedText text(config);
    fill_by_formula(text.parameters);
    const Tensor out = text.transformer(ids, each.skip).slice(1, 0, 5, 2).slice(2, 0, 6, 3);
    EXPECT_LT(largest_gap(out.flatten(), at::tensor(at::ArrayRef<float>(each.numbers))), 2e-6);
  }
}

TEST(TextTransformer, GivesTheStatesOfASmallCheckpoint) {
  const char* named = std::getenv("GRADATIM_FIXTURES");
  const std::filesystem::path root =
      named != nullptr ? named : GRADATIM_SOURCES "/../shared/fixtures";
  if (!std::filesystem::exists(root / "tiny_sd" / "ref.safetensors")) {
    GTEST_SKIP() << "no tiny_sd in " << root << ": name its folder in GRADATIM_FIXTURES";
  }
  const SafetensorsFile weights((root / "tiny_sd/model/text_encoder/model.safetensors").string());
  const SafetensorsFile reference((root / "tiny_sd/ref.safetensors").string());
  const auto tensor = [&]<class T>(const char* name, T) {
    const auto numbers = reference.read<T>(name);
    const auto& shape = reference.view(name).shape;
    return at::tensor(at::ArrayRef<T>(numbers)).view(shape);
  };
  PackedText text({.width = 8, .layers = 2, .heads = 2, .inner = 16, .vocabulary = 1000});
  text.parameters.load(weights);
  const at::NoGradGuard plain;
  const Tensor ids = tensor("ids", std::int64_t{});
  EXPECT_LT(largest_gap(text.transformer(ids), tensor("text.last_hidden", 0.0F)), 1e-5);
  const Tensor others = text.transformer(tensor("neg_ids", std::int64_t{}));
  EXPECT_LT(largest_gap(others, tensor("text.neg_last_hidden", 0.0F)), 1e-5);
  const auto last = [&](const Tensor& state) {
    const auto& items = text.parameters.items();
    return at::layer_norm(state, {8}, items[items.size() - 2].value, items.back().value, 1e-5);
  };
  EXPECT_EQ(text.parameters.items().back().name, "final_layer_norm.bias");
  EXPECT_LT(largest_gap(text.transformer(ids, 1), last(tensor("text.hidden.1", 0.0F))), 1e-5);
  EXPECT_LT(largest_gap(text.transformer(ids, 2), last(tensor("text.hidden.0", 0.0F))), 1e-5);
}

TEST(TextTransformer, ATokenKnowsNothingOfThoseBehindIt) {
  PackedText text(kTinyText);
  const at::NoGradGuard plain;
  const Tensor a = text.transformer(ids_of({9, 3, 7, 10, 10}, 1));
  const Tensor b = text.transformer(ids_of({9, 3, 7, 1, 2}, 1));
  EXPECT_LT(largest_gap(b.narrow(1, 0, 3), a.narrow(1, 0, 3)), 1e-6);
  EXPECT_GT(largest_gap(b.narrow(1, 3, 1), a.narrow(1, 3, 1)), 1e-3);
  const Tensor shorter = text.transformer(ids_of({9, 3, 7}, 1));
  EXPECT_LT(largest_gap(shorter, a.narrow(1, 0, 3)), 1e-6);
  // But each knows those in front of it.
  const Tensor c = text.transformer(ids_of({8, 3, 7, 10, 10}, 1));
  EXPECT_GT(largest_gap(c.narrow(1, 4, 1), a.narrow(1, 4, 1)), 1e-6);
}

TEST(TextTransformer, GradientsAreThoseOfFiniteDifferences) {
  for (const auto activation : {TextActivation::quick_gelu, TextActivation::gelu}) {
    TextConfig config = kTinyText;
    config.activation = activation;
    PackedText text(config);
    fill_by_formula(text.parameters);
    text.parameters.require_gradients(true);
    const Tensor ids = ids_of({9, 3, 7, 10, 10, 9, 1, 10, 0, 0}, 2);
    const auto loss = [&] {
      const Tensor out = text.transformer(ids);
      return (out * at::cos(at::arange(out.numel(), at::kFloat)).view_as(out)).sum();
    };
    {
      const at::AutoGradMode graph(true);
      loss().backward();
    }
    const at::NoGradGuard plain;
    const Tensor gradients = text.parameters.gradients();
    const double largest = gradients.abs().max().item<double>();
    for (const auto& item : text.parameters.items()) {
      for (const std::int64_t element : {std::int64_t{0}, item.value.numel() / 2}) {
        const Tensor place = text.parameters.values().narrow(0, item.offset + element, 1);
        const float before = place.item<float>();
        constexpr double kStep = 1e-2;
        place.fill_(before + kStep);
        const double above = loss().item<double>();
        place.fill_(before - kStep);
        const double below = loss().item<double>();
        place.fill_(before);
        const double expected = (above - below) / (2.0 * kStep);
        EXPECT_NEAR(gradients[item.offset + element].item<double>(), expected, 2e-3 * largest)
            << item.name << " at " << element;
      }
    }
  }
}

TEST(TextTransformer, WhatItCannotReadIsRefused) {
  PackedText text(kTinyText);
  const auto code = [&](const Tensor& ids, std::int64_t skip) {
    try {
      text.transformer(ids, skip);
    } catch (const Error& error) {
      return error.code();
    }
    return 0;
  };
  EXPECT_EQ(code(ids_of({0, 11}, 1), 0), 2098);
  EXPECT_EQ(code(ids_of({-1, 0}, 1), 0), 2098);
  EXPECT_EQ(code(ids_of({0, 0, 0, 0, 0, 0}, 1), 0), 2098);
  EXPECT_EQ(code(ids_of({0}, 1), 3), 1003);
  EXPECT_EQ(code(ids_of({0}, 1), -1), 1003);
  EXPECT_EQ(code(ids_of({0}, 1), 2), 0);
  Parameters parameters;
  TextConfig uneven = kTinyText;
  uneven.heads = 4;
  EXPECT_THROW(TextTransformer(Scope(parameters), uneven), UsageError);
}

TEST(TextTransformer, LayersBeginTheSmallerTheMoreThereAre) {
  PackedText text(
      {.width = 64, .layers = 8, .heads = 4, .inner = 256, .tokens = 16, .vocabulary = 100});
  const auto deviation = [&](const std::string& name) {
    for (const auto& item : text.parameters.items()) {
      if (item.name == name) return item.value.std().item<double>();
    }
    return 0.0;
  };
  EXPECT_NEAR(deviation("encoder.layers.7.self_attn.q_proj.weight"), 1.0 / 8.0, 0.01);
  EXPECT_NEAR(deviation("encoder.layers.7.self_attn.out_proj.weight"), 1.0 / 32.0, 0.003);
  EXPECT_NEAR(deviation("encoder.layers.0.mlp.fc1.weight"), 1.0 / std::sqrt(128.0), 0.01);
  EXPECT_NEAR(deviation("encoder.layers.0.mlp.fc2.weight"), 1.0 / 32.0, 0.003);
  EXPECT_NEAR(deviation("embeddings.token_embedding.weight"), 0.02, 0.002);
}

}  // namespace
}  // namespace gradatim::neural
