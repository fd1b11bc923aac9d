#include "gradatim/core/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gradatim/core/error.h"

namespace gradatim {
namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "gradatim_file_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string at(const std::string& name) const { return folder_ / name; }
  static std::string text(const std::string& path) { return std::string(MappedFile(path).bytes()); }
  static mode_t mode(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  // The code of the DataError that `f` throws, or 0.
  template <class F>
  static int code_of(F f) {
    try {
      f();
    } catch (const DataError& error) {
      return error.code();
    }
    return 0;
  }

  fs::path folder_;
};

TEST_F(Files, WhatIsWrittenIsRead) {
  const std::string zero = std::string("hello\0world\n", 12);
  write_atomically(at("a"), zero);
  EXPECT_EQ(text(at("a")), zero);
  const std::string large(300000, 'x');
  const std::array<std::string_view, 4> parts = {"head ", "", large, " tail"};
  write_atomically(at("a"), parts);
  EXPECT_EQ(text(at("a")), "head " + large + " tail");
  EXPECT_EQ(entries(), 1U) << "no temporary file is left";
}

TEST_F(Files, AnEmptyFileIsWrittenAndRead) {
  write_atomically(at("empty"), "");
  EXPECT_TRUE(fs::exists(at("empty")));
  EXPECT_EQ(text(at("empty")), "");
}

TEST_F(Files, AReplacedFileKeepsItsPermissions) {
  write_atomically(at("a"), "old");
  ASSERT_EQ(::chmod(at("a").c_str(), 0640), 0);
  write_atomically(at("a"), "new");
  EXPECT_EQ(mode(at("a")), 0640U);
  EXPECT_EQ(text(at("a")), "new");
}

TEST_F(Files, ANewFileFollowsTheMask) {
  const mode_t before = ::umask(027);
  write_atomically(at("a"), "x");
  ::umask(before);
  EXPECT_EQ(mode(at("a")), 0640U);
}

TEST_F(Files, AFailedWriteLeavesTheOldFileAndNothingElse) {
  write_atomically(at("a"), "old");
  // A limit on the size of files makes write() fail half way, as a full disk would.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 1000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const int code = code_of([&] { write_atomically(at("a"), std::string(5000, 'n')); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(code, 2002);
  EXPECT_EQ(text(at("a")), "old");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, AReaderOfTheOldFileKeepsIt) {
  write_atomically(at("a"), "old");
  const MappedFile old(at("a"));
  write_atomically(at("a"), "new and longer");
  EXPECT_EQ(old.bytes(), "old") << "the old file was replaced, not overwritten";
}

TEST_F(Files, WritingWhereNothingCanBeIsAnError) {
  EXPECT_EQ(code_of([&] { write_atomically(at("missing/a"), "x"); }), 2002);
  EXPECT_EQ(code_of([&] { write_atomically(folder_, "x"); }), 2002) << "a folder";
  EXPECT_EQ(code_of([&] { write_atomically("", "x"); }), 2002);
  write_atomically(at("a"), "x");
  EXPECT_EQ(code_of([&] { write_atomically(at("a/b"), "x"); }), 2002) << "below a file";
  EXPECT_EQ(code_of([&] { write_atomically("/dev/full", "x"); }), 2002) << "a full device";
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, ALinkIsKeptAndItsTargetReplaced) {
  fs::create_directory(at("models"));
  write_atomically(at("models/m"), "old");
  fs::create_symlink("models/m", at("link"));
  write_atomically(at("link"), "new");
  EXPECT_TRUE(fs::is_symlink(at("link")));
  EXPECT_EQ(text(at("models/m")), "new");
}

TEST_F(Files, AForeignFileAtATemporaryNameIsNotTouched) {
  // A link planted where a guessable temporary name would be must not be written through.
  write_atomically(at("victim"), "precious");
  fs::create_symlink("victim", at("a.tmp." + std::to_string(::getpid())));
  for (int i = 0; i < 20; ++i) {
    fs::create_symlink("victim",
                       at("a.tmp." + std::to_string(::getpid()) + "." + std::to_string(i)));
  }
  write_atomically(at("a"), "x");
  EXPECT_EQ(text(at("victim")), "precious");
  EXPECT_EQ(text(at("a")), "x");
}

TEST_F(Files, ThreadsThatWriteOneFileLeaveOneOfTheirFiles) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::string whole(20000, static_cast<char>('a' + t));
      for (int i = 0; i < 25; ++i) write_atomically(at("a"), whole);
    });
  }
  for (auto& thread : threads) thread.join();
  const std::string result = text(at("a"));
  EXPECT_EQ(result, std::string(20000, result.front()));
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, APipeAndADeviceAreWrittenDirectly) {
  write_atomically("/dev/null", "x");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  std::string got;
  std::thread reader([&] { got = text(at("pipe")); });
  write_atomically(at("pipe"), "through a pipe");
  reader.join();
  EXPECT_EQ(got, "through a pipe") << "MappedFile reads what it cannot map";
  EXPECT_TRUE(fs::is_fifo(at("pipe")));
}

TEST_F(Files, ReadingWhatCannotBeReadIsAnErrorThatNamesIt) {
  EXPECT_EQ(code_of([&] { MappedFile file(at("missing")); }), 2001);
  EXPECT_EQ(code_of([&] { MappedFile file(folder_); }), 2001);
  EXPECT_EQ(code_of([&] { MappedFile file("/proc/self/mem"); }), 2001) << "read() fails";
  try {
    MappedFile file(at("missing"));
    FAIL() << "it was opened";
  } catch (const DataError& error) {
    EXPECT_EQ(error.message(), "cannot read '" + at("missing") + "': No such file or directory");
  }
}

TEST_F(Files, NoDescriptorIsLeaked) {
  auto open_files = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  const auto before = open_files();
  for (int i = 0; i < 10; ++i) {
    write_atomically(at("a"), "x");
    EXPECT_EQ(text(at("a")), "x");
    code_of([&] { write_atomically("/dev/full", "x"); });
    code_of([&] { MappedFile file(folder_); });
  }
  EXPECT_EQ(open_files(), before);
}

}  // namespace
}  // namespace gradatim
