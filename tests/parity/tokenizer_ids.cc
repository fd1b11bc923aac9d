// tokenizer_ids FOLDER TEXTS.json LENGTH OUT.json: the tokens of texts, as a list of lists; FOLDER
// holds the tokenizer of a checkpoint. LENGTH 0: as they come.
// tokenizer_ids --learn TEXTS.json TOKENS FOLDER: a vocabulary learned from texts, in such a
// folder.
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "gradatim/api/settings.h"
#include "gradatim/neural/text/clip_tokenizer.h"
#include "gradatim/neural/tokenizer.h"

namespace {

using Texts = std::vector<std::string>;

Texts texts_of(const char* path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file).get<Texts>();
}

void tokens_of(const char* folder, const Texts& texts, std::int64_t length, const char* out) {
  const auto codec = gradatim::neural::read_clip_tokenizer(folder);
  nlohmann::json rows = nlohmann::json::array();
  for (const auto& text : texts) {
    rows.push_back(codec->encode(text, {.length = length, .allow_empty = true}));
  }
  std::ofstream(out) << rows;
}

void learn(const Texts& texts, const char* tokens, const std::string& folder) {
  const auto settings =
      gradatim::api::parse_settings("neural.tokenizer.bytes", {{{"vocabulary", tokens}}});
  const auto codec = gradatim::api::build_as<gradatim::neural::Tokenizer>(settings)->train(texts);
  const auto stored = nlohmann::json::parse(codec->store());
  nlohmann::json vocabulary;
  for (const auto& token : stored["tokens"]) vocabulary[token] = vocabulary.size();
  std::ofstream(folder + "/vocab.json") << vocabulary;
  std::ofstream merges(folder + "/merges.txt");
  merges << "#version: 0.2\n";
  for (const auto& pair : stored["merges"]) {
    merges << pair[0].get<std::string>() << " " << pair[1].get<std::string>() << "\n";
  }
}

}  // namespace

int main(int count, char** words) {
  if (count != 5) return 2;
  try {
    if (std::string(words[1]) == "--learn") {
      learn(texts_of(words[2]), words[3], words[4]);
    } else {
      tokens_of(words[1], texts_of(words[2]), std::stoll(words[3]), words[4]);
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
