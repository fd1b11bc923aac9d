// The tokenizer of a checkpoint of Stable Diffusion, in the files of Hugging Face's transformers.
// Its tokens are those of the library's fast CLIPTokenizer; text is not mended first (no ftfy).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "gradatim/neural/text/byte_codec.h"

namespace gradatim::neural {

/// A folder with vocab.json and merges.txt, or tokenizer.json; special_tokens_map.json and
/// tokenizer_config.json may name other tokens of begin, end, pad and unknown. Or a file of merges
/// alone, such as CLIP's own (clip_vocabulary.h), for checkpoints of one file, which have none.
/// `pad` is the token of padding where the files name none: that of the end for Stable Diffusion 1,
/// "!" for 2. ModelError GRD-3070 where there is no vocabulary, GRD-3069 where a file is damaged;
/// DataError GRD-2070 for a damaged .gz.
std::shared_ptr<const ByteCodec> read_clip_tokenizer(const std::string& path,
                                                     const std::string& pad = kEndToken);

/// The same of the texts of such files, by their names.
using TokenizerFiles = std::map<std::string, std::string>;
/// Those of a folder that say what a file of merges does; such a folder is what transformers reads.
TokenizerFiles clip_files(const std::string& merges_path, const std::string& pad = kEndToken);
std::shared_ptr<const ByteCodec> read_clip_tokenizer(const TokenizerFiles& files,
                                                     const std::string& source,
                                                     const std::string& pad = kEndToken);

/// The same of the texts of vocab.json and merges.txt; `pairs` holds the tokens that stand for no
/// text. Those that the vocabulary lacks are added behind it. `source` names it in messages.
std::shared_ptr<const ByteCodec> clip_tokenizer(const std::string& vocabulary_json,
                                                const std::string& merges, BytePairs pairs,
                                                const std::string& source);

}  // namespace gradatim::neural
