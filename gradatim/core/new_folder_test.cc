#include "gradatim/core/new_folder.h"

#include <gtest/gtest.h>

#include <iterator>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"

namespace gradatim {
namespace {

namespace fs = std::filesystem;

class NewFolders : public testing::Test {
 protected:
  NewFolders() : root_(fs::path(testing::TempDir()) / "gradatim_new_folder") {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~NewFolders() override { fs::remove_all(root_); }
  std::string at(const std::string& name) const { return (root_ / name).string(); }
  std::ptrdiff_t entries() const {
    return std::distance(fs::directory_iterator(root_), fs::directory_iterator());
  }

  fs::path root_;
};

TEST_F(NewFolders, AppearWithAllThatIsInThem) {
  for (const char* name : {"made", "made_too/"}) {
    NewFolder folder(at(name));
    write_atomically(folder.path("a.txt"), "a");
    EXPECT_FALSE(fs::exists(at(name)));
    folder.keep();
    EXPECT_EQ(MappedFile(at(name) + "/a.txt").bytes(), "a");
  }
  EXPECT_EQ(entries(), 2);
}

TEST_F(NewFolders, LeaveNothingWhereTheyAreNotKept) {
  {
    const NewFolder folder(at("made"));
    write_atomically(folder.path("a.txt"), "a");
    const NewFolder twin(at("made"));
    EXPECT_EQ(entries(), 2);
  }
  EXPECT_EQ(entries(), 0);
}

TEST_F(NewFolders, TakeAnEmptyFoldersPlaceAndNoOther) {
  fs::create_directory(at("empty"));
  NewFolder(at("empty")).keep();
  EXPECT_TRUE(fs::is_directory(at("empty")));
  write_atomically(at("file"), "a");
  fs::create_directory(at("full"));
  write_atomically(at("full/a.txt"), "a");
  for (const char* name : {"file", "full", "nowhere/made"}) {
    EXPECT_THROW(NewFolder{at(name)}, DataError) << name;
  }
  EXPECT_EQ(entries(), 3);
}

TEST_F(NewFolders, LoseToWhoeverCameFirst) {
  NewFolder late(at("made"));
  NewFolder first(at("made"));
  write_atomically(first.path("a.txt"), "a");
  first.keep();
  EXPECT_THROW(late.keep(), DataError);
  EXPECT_EQ(MappedFile(at("made") + "/a.txt").bytes(), "a");
}

}  // namespace
}  // namespace gradatim
