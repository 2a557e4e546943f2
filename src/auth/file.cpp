#include "auth/file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace helios::auth {

namespace {

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    int fd() const { return fd_; }

private:
    int fd_;
};

std::unexpected<Error> refused(const char* what, const std::string& path, int error) {
    const auto kind = error == ENOENT                     ? ErrorKind::not_found
                      : error == EACCES || error == EPERM ? ErrorKind::denied
                                                          : ErrorKind::unavailable;
    return fail(kind, fmt::format("can't {} {}: {}", what, path, std::strerror(error)));
}

std::string folder_of(const std::string& path) {
    const auto parent = std::filesystem::path(path).parent_path();
    return parent.empty() ? "." : parent.string();
}

Status write_all(int fd, const std::string& path, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno != EINTR) {
            return refused("write", path, errno);
        }
        bytes.remove_prefix(n < 0 ? 0 : static_cast<std::size_t>(n));
    }
    return {};
}

/// Opens the file that becomes `path`, and holds its lock: whoever waited for it finds that the
/// file it waited for has got another name, and takes the next.
Result<Descriptor> lock_successor(const std::string& path) {
    while (true) {
        Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (file.fd() < 0) {
            return refused("write", path, errno);
        }
        while (::flock(file.fd(), LOCK_EX) != 0) {
            if (errno != EINTR) {
                return refused("lock", path, errno);
            }
        }
        struct stat ours{};
        struct stat named{};
        if (::fstat(file.fd(), &ours) == 0 && ::stat(path.c_str(), &named) == 0 &&
            ours.st_ino == named.st_ino && ours.st_dev == named.st_dev) {
            return file;
        }
    }
}

/// When root changes a file for a server that runs as somebody else, that one must be able to read
/// it: the owner stays, and a new file has the folder's.
void keep_owner(int fd, const std::string& path) {
    struct stat owner{};
    const bool known =
        ::stat(path.c_str(), &owner) == 0 || ::stat(folder_of(path).c_str(), &owner) == 0;
    if (::geteuid() == 0 && known) {
        static_cast<void>(::fchown(fd, owner.st_uid, owner.st_gid) == 0);
    }
}

Status sync_folder(const std::string& path) {
    const std::string folder = folder_of(path);
    const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.fd() < 0 || ::fsync(directory.fd()) != 0) {
        return refused("sync", folder, errno);
    }
    return {};
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
    // Not blocking: a pipe in the file's place must not hold up whoever looks.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.fd() < 0) {
        return refused("read", path, errno);
    }
    std::string out;
    char chunk[16 << 10];
    while (true) {
        const ssize_t n = ::read(file.fd(), chunk, sizeof chunk);
        if (n == 0) {
            return out;
        }
        if (n < 0 && errno != EINTR) {
            return refused("read", path, errno);
        }
        out.append(chunk, n < 0 ? 0 : static_cast<std::size_t>(n));
        if (out.size() > bytes_max) {
            return fail(ErrorKind::exhausted,
                        fmt::format("{} is larger than {} bytes", path, bytes_max));
        }
    }
}

Status change_file(const std::string& path, std::size_t bytes_max,
                   const std::function<Result<std::string>(const std::string&)>& change) {
    const std::string successor = path + ".new";
    HELIOS_TRY_ASSIGN(const Descriptor file, lock_successor(successor));
    auto before = read_file(path, bytes_max);
    if (!before && before.error().kind != ErrorKind::not_found) {
        ::unlink(successor.c_str());
        return std::unexpected(std::move(before).error());
    }
    auto after = change(before.value_or(""));
    if (!after) {
        ::unlink(successor.c_str());
        return std::unexpected(std::move(after).error());
    }
    if (::ftruncate(file.fd(), 0) != 0 || ::fchmod(file.fd(), 0600) != 0) {
        return refused("write", successor, errno);
    }
    keep_owner(file.fd(), path);
    HELIOS_TRY(write_all(file.fd(), successor, *after));
    if (::fsync(file.fd()) != 0) {
        return refused("sync", successor, errno);
    }
    if (::rename(successor.c_str(), path.c_str()) != 0) {
        return refused("write", path, errno);
    }
    return sync_folder(path);
}

}  // namespace helios::auth
