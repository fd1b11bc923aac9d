#include "gradatim/neural/text/clip_vocabulary.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gradatim/core/error.h"
#include "gradatim/core/shared_library.h"
#include "gradatim/data/samples/testing.h"
#include "gradatim/neural/text/clip_tokenizer.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;

class VocabularyFile {
 public:
  VocabularyFile(const std::string& name, const std::string& bytes)
      : path_(fs::temp_directory_path() / ("gradatim_" + std::to_string(::getpid()) + name)) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~VocabularyFile() { fs::remove(path_); }
  VocabularyFile(const VocabularyFile&) = delete;
  VocabularyFile& operator=(const VocabularyFile&) = delete;
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

const std::string kMergeLines = "\"bpe.txt#version: 0.2\nc a\nca t</w>\na t</w>\n";

std::string zipped(const std::string& text) { return data::testing::deflated(text, 31); }

std::string refusal(const std::string& path) {
  try {
    read_clip_tokenizer(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(ClipVocabulary, IsBytesThenWhatMergesMakeThenBeginAndEnd) {
  for (const std::string& bytes : {kMergeLines, zipped(kMergeLines)}) {
    const VocabularyFile file("merges", bytes);
    const auto codec = read_clip_tokenizer(file.path());
    EXPECT_EQ(codec->vocabulary(), 512 + 3 + 2);
    EXPECT_EQ(codec->encode("Cat at!"), (std::vector<std::int64_t>{515, 513, 514, 256, 516}));
    EXPECT_EQ(codec->special().pad, 516);
    EXPECT_EQ(read_clip_tokenizer(file.path(), "!")->special().pad, 0);
  }
}

TEST(ClipVocabulary, OnlyTheMergesOfClipCount) {
  std::string lines;
  for (int k = 0; k < 48'894; ++k) lines += "a b\n";
  for (const std::string behind : {"", "junk", "junk\njunk\n"}) {
    const VocabularyFile file("many", "#version: 0.2\n" + lines + behind);
    EXPECT_TRUE(clip_merges(file.path()) == lines);  // too much to show
  }
  const VocabularyFile few("few", "a b\nc d"), none("none", "");
  EXPECT_EQ(clip_merges(few.path()), "a b\nc d");
  EXPECT_EQ(clip_merges(none.path()), "");
}

TEST(ClipVocabulary, DamagedFilesAreRefusedInALine) {
  const std::string whole = zipped(kMergeLines);
  for (std::size_t size = 18; size < whole.size(); ++size) {
    const VocabularyFile file("cut.gz", whole.substr(0, size));
    EXPECT_NE(refusal(file.path()), "no error") << size;
  }
  std::string wrong = whole;
  wrong[wrong.size() - 6] ^= 1;  // of its checksum
  const VocabularyFile checked("wrong.gz", wrong);
  EXPECT_NE(refusal(checked.path()).find("GRD-2070"), std::string::npos);
  const VocabularyFile bomb("bomb.gz", zipped(std::string(20 << 20, 'a')));
  EXPECT_NE(refusal(bomb.path()).find("it unpacks to 20971520 bytes"), std::string::npos);
  const VocabularyFile other("other", "\x01\x02 of weights");
  EXPECT_EQ(refusal(other.path()),
            other.path() +
                ": the merge '.. of weights' is not two tokens with a blank between them "
                "(GRD-3069)");
}

TEST(ClipVocabulary, IsFoundByAVariableOrBesideTheLibrary) {
  const VocabularyFile file("found", kMergeLines);
  ::setenv("GRADATIM_CLIP_VOCABULARY", file.path().c_str(), 1);
  EXPECT_EQ(installed_clip_vocabulary(), file.path());
  ::setenv("GRADATIM_CLIP_VOCABULARY", "/nowhere", 1);
  EXPECT_THROW(installed_clip_vocabulary(), UsageError);
  ::unsetenv("GRADATIM_CLIP_VOCABULARY");
  const std::string beside = installed_clip_vocabulary();
  const std::string folder = library_folder().parent_path().string();
  EXPECT_TRUE(beside.empty() || beside.starts_with(folder)) << beside;
}

TEST(ClipVocabulary, IsWrittenInTheFilesOfTransformers) {
  const VocabularyFile file("merges", zipped(kMergeLines));
  const auto direct = read_clip_tokenizer(file.path(), "!");
  const auto files = clip_files(file.path(), "!");
  const auto again = read_clip_tokenizer(files, "here");
  EXPECT_EQ(again->store(), direct->store());
  EXPECT_EQ(again->special().pad, 0);
  EXPECT_EQ(files.at("merges.txt"), "#version: 0.2\nc a\nca t</w>\na t</w>\n");
}

}  // namespace
}  // namespace gradatim::neural
