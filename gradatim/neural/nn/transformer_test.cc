#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/neural/nn/net.h"
#include "gradatim/neural/nn/patches.h"
#include "gradatim/neural/size.h"
#include "gradatim/neural/testing.h"

namespace gradatim::neural {
namespace {

using Numbers64 = std::vector<double>;

std::unique_ptr<Net> transformer(const std::vector<api::Option>& options,
                                 const NetworkShape& shape) {
  return make_net(
      *api::build_as<Network>(api::parse_settings("neural.network.transformer", options)), shape);
}

const std::vector<api::Option> kTiny = {
    {"patch", "2"}, {"width", "8"}, {"depth", "1"}, {"heads", "2"}, {"mlp_ratio", "3"}};
const NetworkShape kTinyShape{
    .sample = {2, 4, 6}, .classes = 3, .outputs = 2, .time_scale = 2.0, .seed = 4};

NetInput input(std::int64_t rows) {
  at::manual_seed(5);
  return {at::randn({rows, 2, 4, 6}), at::rand({rows}) * 5.0, at::randint(4, {rows}, at::kLong)};
}

// Nothing is zero any more.
void scatter(Net& net, double size = 0.4) {
  at::manual_seed(6);
  const at::NoGradGuard plain;
  for (const auto& item : net.parameters().items()) {
    item.value.copy_(at::randn_like(item.value) * size);
  }
}

double furthest(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(Transformer, BeginsAtZeroAndOnlyItsLastLayerLearnsAtFirst) {
  const auto net = transformer(kTiny, kTinyShape);
  const Tensor out = net->run(input(3));
  EXPECT_EQ(out.sizes(), at::IntArrayRef({3, 4, 4, 6}));
  EXPECT_EQ(out.abs().max().item<float>(), 0.0F);
  net->backward(at::ones_like(out));
  for (const auto& item : net->parameters().items()) {
    const bool last = item.name.starts_with("final_layer.linear.");
    EXPECT_EQ(item.value.grad().abs().max().item<float>() > 0.0F, last) << item.name;
  }
}

TEST(Transformer, InitialValuesAreThoseOfThePaper) {
  const auto net = transformer({{"width", "64"}, {"heads", "4"}, {"depth", "2"}}, kTinyShape);
  std::map<std::string, Tensor> values;
  for (const auto& item : net->parameters().items()) values[item.name] = item.value;
  const auto most = [&](const char* name) { return values.at(name).abs().max().item<double>(); };
  const auto deviation = [&](const char* name) { return values.at(name).std().item<double>(); };
  EXPECT_NEAR(most("blocks.1.attn.qkv.weight"), std::sqrt(6.0 / 256.0), 1e-3);
  EXPECT_NEAR(most("x_embedder.proj.weight"), std::sqrt(6.0 / 72.0), 5e-3);
  EXPECT_NEAR(deviation("t_embedder.mlp.0.weight"), 0.02, 1e-3);
  EXPECT_NEAR(deviation("y_embedder.embedding_table.weight"), 0.02, 4e-3);
  for (const char* zero : {"blocks.0.mlp.fc1.bias", "blocks.0.adaLN_modulation.1.weight",
                           "final_layer.adaLN_modulation.1.weight", "final_layer.linear.weight"}) {
    EXPECT_EQ(most(zero), 0.0) << zero;
  }
}

TEST(Patches, AreCutAndLaidInTheSamePlaces) {
  const Tensor images = at::arange(2 * 3 * 4 * 6, at::kFloat).view({2, 3, 4, 6});
  const Tensor cut = patches_of(images, 2);  // [2, 6, 3 2 2]
  ASSERT_EQ(cut.sizes(), at::IntArrayRef({2, 6, 12}));
  EXPECT_TRUE(at::equal(cut[1][4].view({3, 2, 2}), images[1].slice(1, 2, 4).slice(2, 2, 4)));
  const Tensor turned = cut.view({2, 6, 3, 4}).transpose(2, 3).reshape({2, 6, 12});
  EXPECT_TRUE(at::equal(images_of(turned, 2, 4, 6), images));
}

// The whole network of one block once more, in loops over numbers of float64.
class Reference {
 public:
  explicit Reference(const Net& net) {
    for (const auto& item : net.parameters().items()) {
      const Tensor wide = item.value.detach().to(at::kDouble).contiguous();
      const double* first = wide.const_data_ptr<double>();
      values_[item.name] = Numbers64(first, first + wide.numel());
    }
  }

  Numbers64 operator()(const Tensor& image, double t, std::int64_t label) const {
    const Numbers64 told = condition(t, label);
    std::vector<Numbers64> h;
    for (int down = 0; down < 2; ++down) {
      for (int across = 0; across < 3; ++across) h.push_back(embedded(image, down, across));
    }
    const Numbers64 part = linear("blocks.0.adaLN_modulation.1", told);
    add(h, attention(modulated(h, part, 0, 8)), part, 16);
    std::vector<Numbers64> inner;
    for (const auto& row : modulated(h, part, 24, 32)) {
      Numbers64 units = linear("blocks.0.mlp.fc1", row);
      for (double& u : units) {
        u = 0.5 * u * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (u + 0.044715 * u * u * u)));
      }
      inner.push_back(linear("blocks.0.mlp.fc2", units));
    }
    add(h, inner, part, 40);
    return laid(modulated(h, linear("final_layer.adaLN_modulation.1", told), 0, 8));
  }

 private:
  Numbers64 linear(const std::string& name, const Numbers64& x) const {
    Numbers64 y = values_.at(name + ".bias");
    const Numbers64& w = values_.at(name + ".weight");
    for (std::size_t i = 0; i < y.size(); ++i) {
      for (std::size_t j = 0; j < x.size(); ++j) y[i] += w[i * x.size() + j] * x[j];
    }
    return y;
  }

  static Numbers64 silu(Numbers64 x) {
    for (double& each : x) each /= 1.0 + std::exp(-each);
    return x;
  }

  Numbers64 condition(double t, std::int64_t label) const {
    Numbers64 waves(256);
    for (std::size_t i = 0; i < 128; ++i) {
      const double angle = t * std::pow(10000.0, -static_cast<double>(i) / 128.0);
      waves[i] = std::cos(angle);
      waves[128 + i] = std::sin(angle);
    }
    Numbers64 c = linear("t_embedder.mlp.2", silu(linear("t_embedder.mlp.0", waves)));
    for (std::size_t i = 0; i < 8; ++i) {
      c[i] += values_.at("y_embedder.embedding_table.weight")[8 * to_size(label) + i];
    }
    return silu(c);
  }

  Numbers64 embedded(const Tensor& image, int down, int across) const {
    Numbers64 pixels;
    for (int c = 0; c < 2; ++c) {
      for (int p = 0; p < 2; ++p) {
        for (int q = 0; q < 2; ++q) {
          pixels.push_back(image[c][2 * down + p][2 * across + q].item<double>());
        }
      }
    }
    Numbers64 h = linear("x_embedder.proj", pixels);
    for (std::size_t i = 0; i < 2; ++i) {
      const double frequency = i == 0 ? 1.0 : 0.01;
      h[i] += std::sin(across * frequency);
      h[2 + i] += std::cos(across * frequency);
      h[4 + i] += std::sin(down * frequency);
      h[6 + i] += std::cos(down * frequency);
    }
    return h;
  }

  static std::vector<Numbers64> modulated(std::vector<Numbers64> h, const Numbers64& part,
                                          std::size_t shift, std::size_t scale) {
    for (Numbers64& row : h) {
      double mean = 0.0, square = 0.0;
      for (const double x : row) mean += x / 8.0;
      for (const double x : row) square += (x - mean) * (x - mean) / 8.0;
      for (std::size_t i = 0; i < 8; ++i) {
        row[i] =
            (row[i] - mean) / std::sqrt(square + 1e-6) * (1.0 + part[scale + i]) + part[shift + i];
      }
    }
    return h;
  }

  static void add(std::vector<Numbers64>& h, const std::vector<Numbers64>& more,
                  const Numbers64& part, std::size_t gate) {
    for (std::size_t row = 0; row < h.size(); ++row) {
      for (std::size_t i = 0; i < 8; ++i) h[row][i] += part[gate + i] * more[row][i];
    }
  }

  std::vector<Numbers64> attention(const std::vector<Numbers64>& x) const {
    std::vector<Numbers64> qkv, out;
    for (const auto& row : x) qkv.push_back(linear("blocks.0.attn.qkv", row));
    for (const auto& query : qkv) {
      Numbers64 mixed(8);
      for (std::size_t first = 0; first < 8; first += 4) {
        double sum = 0.0;
        Numbers64 values(4);
        for (const auto& other : qkv) {
          double product = 0.0;
          for (std::size_t i = first; i < first + 4; ++i) product += query[i] * other[8 + i];
          const double weight = std::exp(product / 2.0);  // the root of four
          sum += weight;
          for (std::size_t i = 0; i < 4; ++i) values[i] += weight * other[16 + first + i];
        }
        for (std::size_t i = 0; i < 4; ++i) mixed[first + i] = values[i] / sum;
      }
      out.push_back(linear("blocks.0.attn.proj", mixed));
    }
    return out;
  }

  // [4, 4, 6]; a patch's numbers are its pixels' channels.
  Numbers64 laid(const std::vector<Numbers64>& h) const {
    Numbers64 image(96);
    for (std::size_t patch = 0; patch < 6; ++patch) {
      const Numbers64 numbers = linear("final_layer.linear", h[patch]);
      for (std::size_t k = 0; k < 16; ++k) {
        const std::size_t y = 2 * (patch / 3) + k / 8, x = 2 * (patch % 3) + k / 4 % 2;
        image[24 * (k % 4) + 6 * y + x] = numbers[k];
      }
    }
    return image;
  }

  std::map<std::string, Numbers64> values_;
};

TEST(Transformer, OutputsAreThoseOfItsFormulas) {
  const auto net = transformer(kTiny, kTinyShape);
  scatter(*net);
  const NetInput in = input(3);
  const Tensor out = net->forward(in);
  const Reference reference(*net);
  for (std::int64_t row = 0; row < 3; ++row) {
    const Numbers64 expected =
        reference(in.x[row], 2.0 * in.t[row].item<double>(), in.labels[row].item<std::int64_t>());
    const Tensor numbers = at::tensor(at::ArrayRef<double>(expected)).view({4, 4, 6});
    EXPECT_LT(furthest(out[row].to(at::kDouble), numbers),
              1e-5 * numbers.abs().max().item<double>())
        << row;
  }
}

TEST(Transformer, TimeLabelAndEveryPatchChangeTheOutput) {
  const auto net = transformer(kTiny, kTinyShape);
  scatter(*net);
  const NetInput in = input(2);
  const Tensor out = net->forward(in);
  NetInput later = in, other = in, moved = in;
  later.t = in.t + 3.0;
  other.labels = (in.labels + 1) % 4;
  moved.x = in.x.roll({2}, {3});
  for (const NetInput* each : {&later, &other, &moved}) {
    EXPECT_GT(furthest(net->forward(*each), out), 1e-2);
  }
  EXPECT_GT(furthest(net->forward(moved), out.roll({2}, {3})), 1e-2) << "places do not count";
}

TEST(Transformer, GradientsAreDifferencesOfTheLoss) {
  const auto net = transformer(kTiny, kTinyShape);
  scatter(*net, 0.2);
  const NetInput in = input(2);
  const Tensor out = net->run(in);
  const Tensor weights = at::cos(at::arange(out.numel(), at::kFloat)).view(out.sizes());
  net->backward(weights);
  const auto loss = [&] {
    return (net->forward(in).to(at::kDouble) * weights).sum().item<double>();
  };
  for (const auto& item : net->parameters().items()) {
    const at::NoGradGuard plain;
    const Tensor way = item.value.grad() / (item.value.grad().norm() + 1e-12);
    const Tensor before = item.value.clone();
    item.value.add_(way, 1e-3);
    const double above = loss();
    item.value.copy_(before).sub_(way, 1e-3);
    const double slope = (above - loss()) / 2e-3;
    item.value.copy_(before);
    const double norm = item.value.grad().norm().item<double>();
    EXPECT_GT(norm, 0.0) << item.name;
    EXPECT_NEAR(slope, norm, 0.02 * norm + 1e-3) << item.name;
  }
}

TEST(Transformer, RefusesShapesAndSettingsThatDoNotFit) {
  const auto expect_refused = [](const std::vector<api::Option>& options,
                                 const NetworkShape& shape) {
    try {
      transformer(options, shape);
      ADD_FAILURE() << "it was accepted";
    } catch (const UsageError& error) {
      EXPECT_EQ(error.code(), 1169) << error.what();
    }
  };
  expect_refused({}, {.sample = {64}});
  expect_refused({{"patch", "4"}}, {.sample = {1, 8, 10}});
  expect_refused({{"width", "64"}, {"heads", "5"}}, {.sample = {1, 8, 8}});
  expect_refused({{"width", "6"}, {"heads", "2"}}, {.sample = {1, 8, 8}});
}

TEST(Transformer, LearnsTinyImages) {
  const auto model = data::fit_model(testing::settings_of({{"network", "transformer"},
                                                           {"network.width", "32"},
                                                           {"network.depth", "2"},
                                                           {"network.heads", "2"},
                                                           {"batch_size", "32"},
                                                           {"learning_rate", "0.003"},
                                                           {"steps", "300"}}),
                                     {.seed = 1, .samples = testing::two_images(64)});
  const auto& losses = model->card().history.front().values;
  EXPECT_GT(losses.front(), 0.8);
  EXPECT_LT(losses.back(), 0.35);
}

}  // namespace
}  // namespace gradatim::neural
