#include "log/posix_disk.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>

#include "base/assert.h"

namespace helios::log {
namespace {

std::unexpected<Error> failed(int error, std::string_view verb, const std::string& path) {
    std::string what =
        fmt::format("cannot {} {}: {}", verb, path, std::generic_category().message(error));
    switch (error) {
        case ENOENT:
            return fail(ErrorKind::not_found, std::move(what));
        case EACCES:
        case EPERM:
            return fail(ErrorKind::denied, std::move(what),
                        "give this user read and write access to the data directory");
        case EROFS:
            return fail(ErrorKind::denied, std::move(what),
                        "mount the data directory's file system writable");
        case ENOSPC:
        case EDQUOT:
            return fail(ErrorKind::exhausted, std::move(what),
                        "free space on the data directory's disk");
        case EFBIG:
            return fail(ErrorKind::exhausted, std::move(what),
                        "raise the limit on the size of a file (`ulimit -f`) and restart");
        default:
            return fail(ErrorKind::unavailable, std::move(what));
    }
}

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;
    int get() const { return fd_; }

private:
    int fd_;
};

Result<Descriptor> open_descriptor(const std::string& path, int flags) {
    for (;;) {
        const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);  // NOLINT
        if (fd >= 0) {
            return Descriptor(fd);
        }
        if (errno != EINTR) {
            return failed(errno, "open", path);
        }
    }
}

class PosixFile final : public File {
public:
    PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

    Result<std::size_t> pread(std::uint64_t offset, std::span<char> into) override {
        for (;;) {
            const ssize_t n =
                ::pread(fd_.get(), into.data(), into.size(), static_cast<off_t>(offset));
            if (n >= 0) {
                return static_cast<std::size_t>(n);
            }
            if (errno != EINTR) {
                return failed(errno, "read", path_);
            }
        }
    }

    Status pwrite(std::uint64_t offset, std::string_view bytes) override {
        while (!bytes.empty()) {
            const ssize_t n =
                ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (n < 0) {
                if (errno == EINTR) {
                    continue;
                }
                return failed(errno, "write", path_);
            }
            bytes.remove_prefix(static_cast<std::size_t>(n));
            offset += static_cast<std::uint64_t>(n);
        }
        return {};
    }

    Status sync() override {
        if (::fdatasync(fd_.get()) != 0) {
            return failed(errno, "sync", path_);
        }
        return {};
    }

    Status preallocate(std::uint64_t bytes) override {
        // Not posix_fallocate: where fallocate is missing it writes every block by hand, which
        // takes seconds.
        int result = -1;
        do {
            result = ::fallocate(fd_.get(), 0, 0, static_cast<off_t>(bytes));
        } while (result != 0 && errno == EINTR);
        if (result == 0) {
            return {};
        }
        if (errno == EOPNOTSUPP ||
            errno == ENOSYS) {  // for example some network file systems: do without the reservation
            HELIOS_TRY_ASSIGN(const std::uint64_t now, size());
            return now >= bytes ? Status{} : truncate(bytes);
        }
        return failed(errno, "set space aside for", path_);
    }

    Result<std::uint64_t> size() override {
        struct stat info{};
        if (::fstat(fd_.get(), &info) != 0) {
            return failed(errno, "inspect", path_);
        }
        return static_cast<std::uint64_t>(info.st_size);
    }

    Status truncate(std::uint64_t bytes) override {
        while (::ftruncate(fd_.get(), static_cast<off_t>(bytes)) != 0) {
            if (errno != EINTR) {
                return failed(errno, "truncate", path_);
            }
        }
        return {};
    }

    Result<bool> unlinked() override {
        struct stat info{};
        if (::fstat(fd_.get(), &info) != 0) {
            return failed(errno, "inspect", path_);
        }
        return info.st_nlink == 0;
    }

private:
    Descriptor fd_;
    std::string path_;
};

/// The process that signed there, or nothing that can be told.
std::string holder_of(const std::string& signature) {
    std::string pid;
    if (signature.empty()) {
        return "another process";
    }
    if (const auto fd = open_descriptor(signature, O_RDONLY)) {
        char text[32] = {};
        const ssize_t n = ::pread(fd->get(), text, sizeof text, 0);
        for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; ++i) {
            pid += text[i];
        }
    }
    return pid.empty() ? "another process" : "process " + pid;
}

class PosixLock final : public DirectoryLock {
public:
    explicit PosixLock(Descriptor fd) : fd_(std::move(fd)) {}

    Status sign(const std::string& path) override {
        HELIOS_TRY_ASSIGN(const Descriptor fd, open_descriptor(path, O_WRONLY | O_CREAT | O_TRUNC));
        const std::string pid = fmt::format("{}\n", ::getpid());
        if (::pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) {
            return failed(errno, "write", path);
        }
        return {};
    }

private:
    Descriptor fd_;  // closing it releases the lock
};

class PosixDisk final : public Disk {
public:
    Status make_directories(const std::string& path) override {
        std::vector<std::filesystem::path> missing;
        std::error_code error;
        for (auto at = std::filesystem::path(path);
             !at.empty() && !std::filesystem::exists(at, error) && !error; at = at.parent_path()) {
            missing.push_back(at);
        }
        std::filesystem::create_directories(path, error);
        if (error) {
            return failed(error.value(), "create directory", path);
        }
        if (!missing.empty()) {  // what people bought and paid is nobody else's to read
            std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
            if (error) {
                return failed(error.value(), "set the permissions of", path);
            }
        }
        for (const auto& made : missing) {  // or a power cut could take the whole directory with it
            const auto parent = made.parent_path();
            HELIOS_TRY(sync_directory(parent.empty() ? "." : parent.string()));
        }
        return {};
    }

    Status make_directory(const std::string& path) override {
        if (::mkdir(path.c_str(), 0700) != 0) {
            return failed(errno, "make", path);
        }
        return {};
    }

    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
        int flags = O_RDONLY;
        if (mode == OpenMode::write) {
            flags = O_RDWR;
        }
        if (mode == OpenMode::create) {
            flags = O_RDWR | O_CREAT;
        }
        HELIOS_TRY_ASSIGN(Descriptor fd, open_descriptor(path, flags));
        return std::make_unique<PosixFile>(std::move(fd), path);
    }

    Result<std::vector<std::string>> list(const std::string& path) override {
        std::error_code error;
        std::vector<std::string> names;
        auto it = std::filesystem::directory_iterator(path, error);
        const std::filesystem::directory_iterator end;
        while (!error && it != end) {
            names.push_back(it->path().filename().string());
            it.increment(error);
        }
        if (error) {
            return failed(error.value(), "list", path);
        }
        std::sort(names.begin(), names.end());
        return names;
    }

    Result<bool> exists(const std::string& path) override {
        struct stat info{};
        if (::stat(path.c_str(), &info) == 0) {
            return true;
        }
        if (errno == ENOENT) {
            return false;
        }
        return failed(errno, "inspect", path);
    }

    Result<FileId> identify(const std::string& path) override {
        struct stat info{};
        if (::stat(path.c_str(), &info) != 0) {
            return failed(errno == ENOTDIR ? ENOENT : errno, "inspect", path);
        }
        return FileId{info.st_dev, info.st_ino};
    }

    Status check_writable(const std::string& path) override {
        if (::access(path.c_str(), W_OK | X_OK) != 0) {
            return failed(errno, "write to", path);
        }
        return {};
    }

    Result<std::uint64_t> free_bytes(const std::string& path) override {
        struct statvfs info{};
        if (::statvfs(path.c_str(), &info) != 0) {
            return failed(errno, "inspect", path);
        }
        return std::uint64_t{info.f_bavail} * info.f_frsize;
    }

    Status remove(const std::string& path) override {
        if (::unlink(path.c_str()) != 0) {
            return failed(errno, "remove", path);
        }
        return {};
    }

    Status remove_all(const std::string& path) override {
        std::error_code error;
        std::filesystem::remove_all(path, error);
        if (error) {
            return failed(error.value(), "remove", path);
        }
        return {};
    }

    Status rename(const std::string& from, const std::string& to) override {
        if (::rename(from.c_str(), to.c_str()) != 0) {
            return failed(errno, "rename", from);
        }
        return {};
    }

    Status link(const std::string& from, const std::string& to) override {
        if (::link(from.c_str(), to.c_str()) != 0) {
            return failed(errno, "link", from);
        }
        return {};
    }

    Status sync_directory(const std::string& path) override {
        HELIOS_TRY_ASSIGN(const Descriptor fd, open_descriptor(path, O_RDONLY | O_DIRECTORY));
        if (::fsync(fd.get()) != 0) {
            return failed(errno, "sync directory", path);
        }
        return {};
    }

    Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory,
                                                const std::string& signature) override {
        for (;;) {
            HELIOS_TRY_ASSIGN(Descriptor fd, open_descriptor(directory, O_RDONLY | O_DIRECTORY));
            if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
                if (errno == EWOULDBLOCK) {
                    return fail(ErrorKind::conflict,
                                fmt::format("{} is in use by {}", directory, holder_of(signature)),
                                "stop that server, or choose another directory with --data");
                }
                if (errno == EINTR) {
                    continue;
                }
                auto error = failed(errno, "lock", directory);
                error.error().hint =
                    "a second server could not be kept out: put the data directory on a local file "
                    "system";
                return error;
            }
            struct stat held{};
            struct stat named{};
            if (::fstat(fd.get(), &held) != 0) {
                return failed(errno, "inspect", directory);
            }
            if (::stat(directory.c_str(), &named) != 0) {
                return failed(errno, "inspect", directory);
            }
            if (held.st_dev == named.st_dev && held.st_ino == named.st_ino) {
                return std::make_unique<PosixLock>(std::move(fd));
            }
            // Another directory has taken the name since: what is locked is not what would be
            // written to.
        }
    }

    std::uint64_t random() override {
        std::uint64_t value = 0;
        HELIOS_ASSERT(::getrandom(&value, sizeof(value), 0) == sizeof(value),
                      "the kernel gives random bytes");
        return value;
    }
};

}  // namespace

std::unique_ptr<Disk> posix_disk() {
    return std::make_unique<PosixDisk>();
}

}  // namespace helios::log
