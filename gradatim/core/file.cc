#include "gradatim/core/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "gradatim/core/error.h"
#include "gradatim/core/file_pieces.h"

namespace gradatim {
namespace {

[[noreturn]] void cannot_write(const std::string& path, const char* what, int error) {
  throw DataError(2002, fmt::format("cannot {} '{}': {}", what, path, std::strerror(error)));
}

// A descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const char* path, int flags, mode_t mode = 0)
      : fd_(::open(path, flags | O_CLOEXEC, mode)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// A new file beside `target`, removed unless it was kept. The name is this call's own: other
// threads may write the same target, and whatever lies at a guessed name is not opened.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& target)
      : name_(free_name(target)), file_(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666) {
    if (file_.get() < 0) cannot_write(target, "write", errno);
  }
  ~TemporaryFile() {
    if (file_.get() >= 0 && !kept_) ::unlink(name_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  int fd() const { return file_.get(); }
  const char* name() const { return name_.c_str(); }
  void keep() { kept_ = true; }

 private:
  static std::string free_name(const std::string& target) {
    static std::atomic<unsigned> calls{0};
    while (true) {
      std::string name = fmt::format("{}.tmp.{}.{}", target, ::getpid(), calls++);
      struct stat status {};
      if (::lstat(name.c_str(), &status) != 0) return name;
    }
  }

  std::string name_;
  Descriptor file_;
  bool kept_ = false;
};

void write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) cannot_write(path, "write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void write_atomically(const std::string& path, const std::function<void(const Append&)>& write) {
  std::error_code ignored;
  // A link is followed, so that its target is replaced and not the link.
  const std::filesystem::path real = std::filesystem::canonical(path, ignored);
  const std::string target = ignored ? path : real.string();
  struct stat status {};
  const bool exists = ::stat(target.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) cannot_write(path, "write", EISDIR);
  // Devices and pipes have no "old file" to keep: they are written directly.
  if (exists && !S_ISREG(status.st_mode)) {
    const Descriptor device(target.c_str(), O_WRONLY);
    if (device.get() < 0) cannot_write(path, "write", errno);
    write([&](std::string_view bytes) { write_all(device.get(), bytes, path); });
    return;
  }
  TemporaryFile file(target);
  write([&](std::string_view bytes) { write_all(file.fd(), bytes, path); });
  if (exists) static_cast<void>(::fchmod(file.fd(), status.st_mode & 07777));
  if (::fsync(file.fd()) != 0) cannot_write(path, "flush", errno);
  if (::rename(file.name(), target.c_str()) != 0) cannot_write(path, "replace", errno);
  file.keep();
  // The new name must outlive a loss of power too; not every file system can flush a folder.
  const auto folder = std::filesystem::path(target).parent_path();
  const Descriptor opened(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (opened.get() >= 0) static_cast<void>(::fsync(opened.get()));
}

void write_atomically(const std::string& path, std::span<const std::string_view> parts) {
  write_atomically(path, [&](const Append& append) {
    for (const auto part : parts) append(part);
  });
}

void write_atomically(const std::string& path, std::string_view bytes) {
  write_atomically(path, std::span(&bytes, 1));
}

MappedFile::MappedFile(const std::string& path) {
  const Descriptor file(path.c_str(), O_RDONLY);
  const int fd = file.get();
  auto fail = [&](const std::string& why) {
    throw DataError(2001, fmt::format("cannot read '{}': {}", path, why));
  };
  if (fd < 0) fail(std::strerror(errno));
  struct stat status {};
  if (::fstat(fd, &status) != 0) fail(std::strerror(errno));
  if (S_ISDIR(status.st_mode)) fail("it is a folder; name a file in it");
  if (S_ISREG(status.st_mode) && status.st_size > 0) {
    mapped_ = static_cast<std::size_t>(status.st_size);
    mapping_ = ::mmap(nullptr, mapped_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapping_ == MAP_FAILED) {
      mapping_ = nullptr;
      fail(std::strerror(errno));
    }
    bytes_ = {static_cast<const char*>(mapping_), mapped_};
  } else {
    char buffer[1 << 16];
    while (true) {
      const ssize_t got = ::read(fd, buffer, sizeof(buffer));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail(std::strerror(errno));
      if (got == 0) break;
      copy_.append(buffer, static_cast<std::size_t>(got));
    }
    bytes_ = copy_;
  }
}

MappedFile::~MappedFile() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapped_);
}

}  // namespace gradatim
