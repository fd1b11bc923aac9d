#include "gradatim/neural/text/clip_tokenizer.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/text.h"
#include "gradatim/data/message.h"
#include "gradatim/neural/text/clip_vocabulary.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Merges = std::vector<std::pair<std::string, std::string>>;

Json parsed(std::string_view text, const std::string& source) {
  Json json = Json::parse(text, nullptr, false);
  GRADATIM_CHECK(json.is_object(), ModelError, 3069, "{}: it is no JSON object; copy it again",
                 source);
  return json;
}

std::vector<std::string> tokens_of(const Json& vocabulary, const std::string& source) {
  std::vector<std::string> tokens(vocabulary.size());
  std::vector<bool> taken(vocabulary.size());
  for (const auto& [token, number] : vocabulary.items()) {
    const bool good = number.is_number_unsigned() && number.get<std::size_t>() < tokens.size() &&
                      !taken[number.get<std::size_t>()];
    GRADATIM_CHECK(good, ModelError, 3069,
                   "{}: {} tokens are numbered 0 to {}, and '{}' is given the number {}", source,
                   tokens.size(), tokens.size() - 1, token, number.dump());
    taken[number.get<std::size_t>()] = true;
    tokens[number.get<std::size_t>()] = token;
  }
  return tokens;
}

std::pair<std::string, std::string> merge_of(std::string_view line, const std::string& source) {
  const auto parts = split(line, ' ');
  GRADATIM_CHECK(parts.size() == 2 && !parts[0].empty() && !parts[1].empty(), ModelError, 3069,
                 "{}: the merge '{}' is not two tokens with a blank between them", source,
                 data::shown(line));
  return {parts[0], parts[1]};
}

Merges merges_of(std::string_view text, const std::string& source) {
  Merges merges;
  for (const std::string& whole : split(text, '\n')) {
    std::string_view line = whole;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !line.starts_with("#version")) merges.push_back(merge_of(line, source));
  }
  return merges;
}

// In tokenizer.json a merge is a text with a blank, or a list of two.
Merges merges_of(const Json& list, const std::string& source) {
  Merges merges;
  for (const Json& merge : list) {
    try {
      merges.push_back(merge.is_string() ? merge_of(merge.get<std::string>(), source)
                                         : merge.get<Merges::value_type>());
    } catch (const Json::exception&) {
      throw ModelError(
          3069,
          fmt::format("{}: the merge {} is not two tokens", source,
                      merge.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 40)));
    }
  }
  return merges;
}

// A token's text, as such or within an object.
void take(const Json& json, const char* name, std::string& token) {
  const auto found = json.find(name);
  if (found == json.end()) return;
  if (found->is_string()) token = found->get<std::string>();
  if (!found->is_object()) return;
  const auto content = found->find("content");
  if (content != found->end() && content->is_string()) token = content->get<std::string>();
}

void read_special(const TokenizerFiles& files, const char* name, const std::string& source,
                  BytePairs& pairs) {
  const auto file = files.find(name);
  if (file == files.end()) return;
  const Json json = parsed(file->second, (fs::path(source) / name).string());
  take(json, "bos_token", pairs.begin);
  take(json, "eos_token", pairs.end);
  take(json, "unk_token", pairs.unknown);
  take(json, "pad_token", pairs.pad);
}

std::shared_ptr<const ByteCodec> with_special(BytePairs pairs, const std::string& source) {
  for (const auto& token : {pairs.begin, pairs.end, pairs.unknown, pairs.pad}) {
    const auto& all = pairs.tokens;
    if (std::ranges::find(all, token) == all.end()) pairs.tokens.push_back(token);
  }
  return std::make_shared<ByteCodec>(std::move(pairs), source);
}

// Bytes, bytes at a word's end, what merges make in their order, then begin and end.
std::shared_ptr<const ByteCodec> of_merges(const std::string& text, BytePairs pairs,
                                           const std::string& source) {
  pairs.tokens = byte_symbols();
  pairs.merges = merges_of(std::string_view(text), source);
  for (const auto& [left, right] : pairs.merges) pairs.tokens.push_back(left + right);
  return with_special(std::move(pairs), source);
}

}  // namespace

TokenizerFiles clip_files(const std::string& merges_path, const std::string& pad) {
  const std::string merges = clip_merges(merges_path);
  BytePairs pairs{.tokens = {}, .merges = {}, .pad = pad};
  const auto codec = of_merges(merges, pairs, merges_path);
  Json vocabulary = Json::object();
  for (const std::string& token : codec->pairs().tokens) vocabulary[token] = vocabulary.size();
  const Json special = {{"bos_token", pairs.begin},
                        {"eos_token", pairs.end},
                        {"unk_token", pairs.unknown},
                        {"pad_token", pairs.pad}};
  Json config = special;
  config.update({{"tokenizer_class", "CLIPTokenizer"}, {"model_max_length", 77}});
  return {{"vocab.json", vocabulary.dump()},
          {"merges.txt", "#version: 0.2\n" + merges},
          {"special_tokens_map.json", special.dump(2) + "\n"},
          {"tokenizer_config.json", config.dump(2) + "\n"}};
}

std::shared_ptr<const ByteCodec> clip_tokenizer(const std::string& vocabulary_json,
                                                const std::string& merges, BytePairs pairs,
                                                const std::string& source) {
  pairs.tokens = tokens_of(parsed(vocabulary_json, source), source);
  pairs.merges = merges_of(std::string_view(merges), source);
  return with_special(std::move(pairs), source);
}

std::shared_ptr<const ByteCodec> read_clip_tokenizer(const std::string& path,
                                                     const std::string& pad) {
  if (fs::is_regular_file(path)) {
    return of_merges(clip_merges(path), {.tokens = {}, .merges = {}, .pad = pad}, path);
  }
  TokenizerFiles files;
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json", "vocab.json",
                           "merges.txt", "tokenizer.json"}) {
    const fs::path file = fs::path(path) / name;
    if (!fs::exists(file)) continue;
    const bool spare = files.contains("vocab.json") && files.contains("merges.txt");
    if (!spare) files[name] = std::string(MappedFile(file.string()).bytes());
  }
  return read_clip_tokenizer(files, path, pad);
}

std::shared_ptr<const ByteCodec> read_clip_tokenizer(const TokenizerFiles& files,
                                                     const std::string& source,
                                                     const std::string& pad) {
  BytePairs pairs{.tokens = {}, .merges = {}, .pad = pad};
  read_special(files, "tokenizer_config.json", source, pairs);
  read_special(files, "special_tokens_map.json", source, pairs);
  if (files.contains("vocab.json") && files.contains("merges.txt")) {
    return clip_tokenizer(files.at("vocab.json"), files.at("merges.txt"), std::move(pairs), source);
  }
  GRADATIM_CHECK(files.contains("tokenizer.json"), ModelError, 3070,
                 "{}: it has neither vocab.json and merges.txt nor tokenizer.json; name the folder "
                 "'tokenizer' of a checkpoint, or the file bpe_simple_vocab_16e6.txt.gz",
                 source);
  const Json json = parsed(files.at("tokenizer.json"), source + "/tokenizer.json");
  const Json model = json.value("model", Json::object());
  GRADATIM_CHECK(model.is_object() && model.contains("vocab") && model["vocab"].is_object() &&
                     model.contains("merges") && model["merges"].is_array(),
                 ModelError, 3069, "{}: tokenizer.json has no model of byte pairs", source);
  pairs.tokens = tokens_of(model["vocab"], source);
  pairs.merges = merges_of(model["merges"], source);
  return with_special(std::move(pairs), source);
}

}  // namespace gradatim::neural
