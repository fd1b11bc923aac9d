#include "gradatim/cli/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "gradatim/core/text.h"

namespace gradatim::cli {
namespace {

// Greys and hues of middle lightness, so that no background is needed.
constexpr std::string_view kInk = "#7d8590";
constexpr std::array<std::string_view, 4> kColours = {"#2f81f7", "#e8833a", "#3fa66b", "#a371f7"};
constexpr double kWidth = 760.0;
constexpr double kTop = 44.0;
constexpr double kMargin = 16.0;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

// At most `most` characters of UTF-8.
std::string shortened(std::string_view text, std::size_t most) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    if (characters++ == most) return std::string(text.substr(0, i)) + "…";
  }
  return std::string(text);
}

struct Ticks {
  double low = 0.0;
  double high = 1.0;
  double step = 1.0;
};

// Multiples of 1, 2 or 5 times a power of ten, about `count` of them, around [low, high].
Ticks ticks(double low, double high, int count) {
  if (!(high > low)) high = low + std::max(1e-12, std::abs(low) * 0.1);
  const double rough = (high - low) / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double unit = rough / power;
  const double step = (unit <= 1.0 ? 1.0 : unit <= 2.0 ? 2.0 : unit <= 5.0 ? 5.0 : 10.0) * power;
  return {std::floor(low / step + 1e-9) * step, std::ceil(high / step - 1e-9) * step, step};
}

std::vector<double> places(const Ticks& t) {
  std::vector<double> values;
  const auto count = static_cast<int>(std::lround((t.high - t.low) / t.step));
  for (int i = 0; i <= count; ++i) values.push_back(t.low + i * t.step);
  return values;
}

std::string tick_text(double value, const Ticks& t) {
  return fmt::format("{:.6g}", std::abs(value) < t.step * 1e-6 ? 0.0 : value);
}

class Page {
 public:
  explicit Page(double height)
      : text_(fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" "
                          "width=\"{0}\" height=\"{1}\" font-family=\"system-ui, sans-serif\" "
                          "font-size=\"13\" fill=\"{2}\">\n",
                          kWidth, height, kInk)) {}

  void label(double x, double y, std::string_view anchor, std::string_view words,
             std::string_view extra = "") {
    text_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y,
                         anchor, extra, escaped(words));
  }
  void title(std::string_view words) {
    label(kMargin, 24, "start", words, " font-size=\"16\" font-weight=\"600\"");
  }
  void line(double x1, double y1, double x2, double y2, std::string_view extra) {
    text_ += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x1,
                         y1, x2, y2, extra);
  }
  void grid(double x1, double y1, double x2, double y2) {
    line(x1, y1, x2, y2, fmt::format("stroke=\"{}\" stroke-opacity=\"0.3\"", kInk));
  }
  void add(const std::string& element) { text_ += element; }
  std::string finish() { return std::move(text_) + "</svg>\n"; }

 private:
  std::string text_;
};

// From values to pixels along one axis.
struct Scale {
  Ticks t;
  double from, to;
  double operator()(double value) const {
    return from + (value - t.low) / (t.high - t.low) * (to - from);
  }
};

Scale vertical_scale(const std::vector<Curve>& curves, double bottom) {
  double low = INFINITY;
  double high = -INFINITY;
  for (const auto& curve : curves) {
    for (const double value : curve.values) {
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  if (low > high) low = high = 0.0;
  return {ticks(low, high, 5), bottom, kTop};
}

// A path that rests where a value is not finite, of at most a point a pixel.
std::string path_of(const Curve& curve, const Scale& x, const Scale& y, std::string_view colour) {
  const std::size_t stride = curve.values.size() / static_cast<std::size_t>(kWidth) + 1;
  std::string path;
  bool pen_down = false;
  for (std::size_t i = 0; i < curve.values.size(); ++i) {
    if (i % stride != 0 && i + 1 != curve.values.size()) continue;
    const bool finite = std::isfinite(curve.values[i]);
    if (finite) {
      path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", x(static_cast<double>(i + 1)),
                          y(curve.values[i]));
    }
    pen_down = finite;
  }
  return fmt::format(
      "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" "
      "stroke-linejoin=\"round\"/>\n",
      path, colour);
}

}  // namespace

std::string bar_chart(const std::string& title, const std::string& axis,
                      const std::vector<Bar>& bars) {
  constexpr double kRow = 24.0;
  std::size_t letters = 4;
  double most = 0.0;
  double least = 0.0;
  for (const auto& bar : bars) {
    letters = std::max(letters, std::min<std::size_t>(24, bar.label.size()));
    most = std::max(most, bar.value);
    least = std::min(least, bar.value);
  }
  const double bottom = kTop + kRow * static_cast<double>(std::max<std::size_t>(1, bars.size()));
  const double left = kMargin + 8.0 * static_cast<double>(letters);
  const Scale x{ticks(least, most, 6), left, kWidth - 60.0};
  Page page(bottom + 48.0);
  page.title(title);
  for (const double value : places(x.t)) {
    page.grid(x(value), kTop, x(value), bottom);
    page.label(x(value), bottom + 18.0, "middle", tick_text(value, x.t));
  }
  page.label((left + kWidth - 60.0) / 2.0, bottom + 38.0, "middle", axis);
  double top = kTop;
  for (const auto& bar : bars) {
    const double from = std::min(x(0.0), x(bar.value));
    const double to = std::max(x(0.0), x(bar.value));
    page.label(left - 8.0, top + 16.0, "end", shortened(bar.label, 24));
    page.add(
        fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
                    "rx=\"2\" fill=\"{}\"/>\n",
                    from, top + 3.0, to - from, kRow - 6.0, kColours[0]));
    page.label(to + 6.0, top + 16.0, "start", fmt::format("{:.3g}", bar.value));
    top += kRow;
  }
  return page.finish();
}

std::string line_chart(const std::string& title, const std::string& axis,
                       const std::vector<Curve>& curves, std::int64_t marked) {
  constexpr double kBottom = 360.0;
  constexpr double kLeft = 76.0;
  const double right = kWidth - kMargin - 8.0;
  std::size_t steps = 1;
  for (const auto& curve : curves) steps = std::max(steps, curve.values.size());
  const Scale y = vertical_scale(curves, kBottom);
  Ticks along = ticks(0.0, static_cast<double>(steps), 8);
  along.step = std::max(1.0, along.step);
  along.high =
      std::max(along.step, std::ceil(static_cast<double>(steps) / along.step) * along.step);
  const Scale x{along, kLeft, right};
  Page page(kBottom + 48.0);
  page.title(title);
  for (const double value : places(y.t)) {
    page.grid(kLeft, y(value), right, y(value));
    page.label(kLeft - 8.0, y(value) + 4.0, "end", tick_text(value, y.t));
  }
  for (const double value : places(x.t)) {
    page.grid(x(value), kTop, x(value), kBottom);
    page.label(x(value), kBottom + 18.0, "middle", tick_text(value, x.t));
  }
  page.label((kLeft + right) / 2.0, kBottom + 38.0, "middle", axis);
  if (marked > 0) {
    const double at = x(static_cast<double>(marked));
    page.line(at, kTop, at, kBottom, fmt::format("stroke=\"{}\" stroke-dasharray=\"4 4\"", kInk));
    const bool beyond = at > right - 120.0;
    page.label(beyond ? at - 6.0 : at + 6.0, kBottom - 8.0, beyond ? "end" : "start",
               fmt::format("round {}", marked));
  }
  double legend = right;
  for (std::size_t k = 0; k < curves.size(); ++k) {
    const auto colour = kColours[k % kColours.size()];
    page.add(path_of(curves[k], x, y, colour));
    page.label(legend, 24.0, "end", curves[k].label,
               fmt::format(" fill=\"{}\" font-weight=\"600\"", colour));
    legend -= 16.0 + 8.0 * static_cast<double>(curves[k].label.size());
  }
  return page.finish();
}

}  // namespace gradatim::cli
