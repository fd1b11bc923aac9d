// Model and Trainer: what the command line and Python know of any model of the house.
//
// The life of a model:
//  1. A Trainer (kind "model": boost.newton, neural.diffusion, ...) is built from Settings.
//  2. fit() reads a FitRequest and gives a Model, which knows its columns by name.
//  3. predict(), evaluate() and importances() take tables with those columns, in any order.
//  4. save() writes one safetensors file; load_model() finds the Trainer by the name in the file.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/core/observer.h"
#include "gradatim/core/safetensors.h"
#include "gradatim/data/samples.h"
#include "gradatim/data/schema.h"
#include "gradatim/data/stepped_fit.h"
#include "gradatim/data/table.h"

namespace gradatim::dist {
class Group;
}

namespace gradatim::data {

class Model;

enum class TaskHint { automatic, regression, classification };

/// What to learn from.
struct FitRequest {
  Table table;  // features, target and the columns named below
  std::string target;
  std::vector<std::string> targets;      // several columns of numbers at once, instead of one
  std::optional<Table> valid;            // for early stopping and the history
  double valid_fraction = 0.0;           // in (0, 1): split off instead, by (seed, row)
  std::string weight;                    // a column of non-negative weights, or empty
  std::vector<std::string> base_margin;  // columns of starting scores, one an output, or empty
  TaskHint task = TaskHint::automatic;
  std::vector<std::string> classes;  // their order, where the caller knows it; else sorted
  std::vector<std::string>
      metrics;  // to watch; the first decides early stopping; empty: the loss's
  std::map<std::size_t, api::Made> own_metrics;  // what those at some places stand for
  // Of the caller's own code, which a checkpoint must know: "loss", and what he calls it.
  std::map<std::string, std::string> own_names;
  std::map<std::string, double> class_weights;  // of classes, beside the model's own; else 1
  std::map<std::string, std::string> notes;     // of the front end, kept in the model file
  std::uint64_t seed = 0;
  Observer* observer = nullptr;
  std::shared_ptr<const Model> init_model;  // its members stay, and the fit adds to them
  // What networks learn from, instead of the table; whether they do is in their entry's tags.
  std::shared_ptr<const Samples> samples, valid_samples;
  std::shared_ptr<const Samples> source;  // where a flow starts from, instead of normal noise
  // Whose latents a diffusion learns, instead of those of an autoencoder that it fits first.
  std::shared_ptr<const Model> autoencoder;
  std::string device = "cpu";        // where networks compute: cpu, cuda, cuda:1, ...
  std::string log_folder;            // for metrics and pictures, or empty
  std::string resume;                // a folder for the fit's checkpoint, or empty
  double checkpoint_seconds = 30.0;  // from one checkpoint to the next; 0: every round
  // Ranks that fit together; null: this process by itself. The table then holds this rank's rows,
  // which come behind those of the ranks before it; samples are whole on every rank.
  std::shared_ptr<dist::Group> group;

  std::vector<std::string> target_names() const {
    return targets.empty() ? std::vector{target} : targets;
  }
};

/// Numbers for rows, row-major.
struct Predictions {
  std::vector<double> values;  // [rows, columns]
  int columns = 1;
};

enum class PredictKind {
  response,  // a value, or the probability of each class
  margin,    // the raw scores
};

struct PredictOptions {
  PredictKind kind = PredictKind::response;
  std::int64_t rounds = 0;               // use the first so many; 0 is all
  std::vector<std::string> base_margin;  // columns of starting scores
};

/// What each feature adds to the scores of rows (Shapley values), and the base value, which is
/// there without any. They sum to the scores that PredictKind::margin gives.
struct Contributions {
  std::vector<double> values;  // [rows, outputs, features + 1], the last being the base value
  int outputs = 1;
  std::int64_t features = 0;  // of the card, in its order
};

/// The values of one metric after each round.
struct History {
  std::string name;  // "valid.log_loss"
  std::vector<double> values;
};

/// What a model says about itself.
struct ModelCard {
  api::Settings settings;  // of its trainer, complete
  Schema features;
  std::string target;
  std::vector<std::string> targets;  // where there are several
  bool classification = false;
  std::vector<std::string> classes;
  std::int64_t rounds = 0;               // that predictions use
  std::vector<std::string> base_margin;  // columns of starting scores that it was fitted with
  std::vector<History> history;
  std::map<std::string, std::string> notes;  // of the front end that fitted the model
  // Of a row's numbers where it has several: targets, or levels of quantiles.
  std::vector<std::string> predictions;

  std::vector<std::string> target_names() const {
    return targets.empty() ? std::vector{target} : targets;
  }
};

/// One row of an explanation, by feature.
struct Importance {
  std::string feature;
  double gain = 0.0;  // sum over splits
  double cover = 0.0;
  double splits = 0.0;
};

class Model : public std::enable_shared_from_this<Model> {
 public:
  virtual ~Model() = default;
  virtual const ModelCard& card() const = 0;
  /// Whether it learned from samples, and is evaluated on such. What the model has nothing to say
  /// to is UsageError GRD-1162.
  virtual bool takes_samples() const { return false; }
  virtual Predictions predict(const Table& table, const PredictOptions& options) const;
  virtual Predictions predict_samples(const Samples& samples) const;
  virtual std::vector<std::pair<std::string, double>> evaluate_samples(const Samples& samples,
                                                                       std::uint64_t seed) const;
  /// Predictions of one row: its features in the order of card().features, a category as the place
  /// of its word in that schema, NaN where missing. Writes them to the front of `out` and returns
  /// how many they are. UsageError GRD-1045 where a size does not fit.
  virtual std::int64_t predict_row(std::span<const double> features, std::span<double> out,
                                   PredictKind kind) const;
  /// Predictions after 1, 2, ... rounds; the callback may not keep the reference.
  virtual void predict_staged(
      const Table& table, const PredictOptions& options,
      const std::function<void(std::int64_t round, const Predictions&)>& stage) const;
  /// (short name, value) on a table that has the target; empty `metrics` means the usual ones.
  virtual std::vector<std::pair<std::string, double>> evaluate(
      const Table& table, const std::vector<std::string>& metrics, const std::string& weight) const;
  /// The same of all ranks' rows, this rank having `table`; on every rank.
  virtual std::vector<std::pair<std::string, double>> evaluate_ranks(
      dist::Group& group, const Table& table, const std::vector<std::string>& metrics,
      const std::string& weight) const;
  /// Exact, for sums of trees with constant leaves (tree_shap.h); others are UsageError GRD-1162.
  /// Of `options` the kind is not read.
  virtual Contributions contributions(const Table& table, const PredictOptions& options) const;
  /// The same divided by pairs, so that lines sum to contributions: half of what two features do
  /// together is in either line, and the diagonal has what a feature does alone.
  /// values: [rows, outputs, features + 1, features + 1]
  virtual Contributions interactions(const Table& table, const PredictOptions& options) const;
  /// By falling gain.
  virtual std::vector<Importance> importances() const;
  virtual std::string bytes() const = 0;
  /// The same model where its network computes on that device. UsageError GRD-1163 where it cannot.
  virtual std::shared_ptr<const Model> on(const std::string& device) const;

 protected:
  [[noreturn]] void cannot(std::string_view what) const;
};

class Trainer {
 public:
  static constexpr std::string_view kKind = "model";
  virtual ~Trainer() = default;
  /// Whether fit() takes `init_model` and `resume`.
  virtual bool continues() const { return false; }
  /// Whether it computes on other devices than the processor.
  virtual bool takes_device() const { return false; }
  virtual std::shared_ptr<const Model> fit(const FitRequest& request,
                                           const api::Settings& settings) const = 0;
  virtual std::shared_ptr<const Model> load(const SafetensorsFile& file,
                                            const ModelCard& card) const = 0;
  /// Fits over shared data, round by round (stepped_fit.h); the fit holds out the rows whose byte
  /// is not 0. UsageError GRD-1036 where the trainer has none.
  virtual std::shared_ptr<const PreparedData> prepare(const FitRequest& request) const;
  virtual std::unique_ptr<SteppedFit> start(std::shared_ptr<const PreparedData> data,
                                            const FitRequest& request,
                                            std::vector<std::uint8_t> held_out) const;
};

/// Predictions as a table: "prediction", and for classes "probability_<class>" each; where a row
/// has several numbers, "prediction_<target>" or "prediction_<level>" each.
Table prediction_table(const ModelCard& card, Predictions predictions);

/// Atomically.
void save_model(const Model& model, const std::string& path);
/// ModelError GRD-3001 to GRD-3010 where the file is not a whole and valid model.
std::shared_ptr<const Model> load_model(const std::string& path);
std::shared_ptr<const Model> load_model_bytes(std::string_view bytes, const std::string& source);

/// Fits the model that `settings` describe; `own` are parts that the caller made himself.
/// UsageError GRD-1036 where the trainer cannot go on from a model or a checkpoint.
std::shared_ptr<const Model> fit_model(const api::Settings& settings, const FitRequest& request,
                                       const api::OwnParts& own = {});

/// The card as the metadata of a model file, and back.
void store_card(const ModelCard& card, SafetensorsWriter& file);
ModelCard read_card(const SafetensorsFile& file);

}  // namespace gradatim::data
