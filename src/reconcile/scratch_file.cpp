#include "reconcile/scratch_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace helios::reconcile {
namespace {

// Beyond this ScratchBytes writes at once what it holds.
constexpr std::size_t write_bytes = 1u << 20;
constexpr std::size_t spare_bytes = 64u << 10;  // for what goes beyond a limit

std::unexpected<Error> refused(const char* what, const std::string& directory, int error) {
    return fail(ErrorKind::unavailable,
                std::string("can't ") + what + " temporary files in " + directory + ": " +
                    std::strerror(error),
                "free some space there, or set TMPDIR to another directory");
}

}  // namespace

std::unexpected<Error> broken_scratch() {
    return fail(ErrorKind::corrupt, "a temporary file gave back other bytes than it got",
                "check the disk");
}

Result<ScratchFile> ScratchFile::make(const std::string& directory) {
    int descriptor = open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {  // NFS, overlays of old
        auto path = directory + "/helios-XXXXXX";
        descriptor = mkostemp(path.data(), O_CLOEXEC);
        if (descriptor >= 0) {
            unlink(path.c_str());
        }
    }
    if (descriptor < 0) {
        return refused("make", directory, errno);
    }
    return ScratchFile(descriptor, directory);
}

ScratchFile::ScratchFile(ScratchFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      directory_(std::move(other.directory_)),
      size_(other.size_) {}

ScratchFile& ScratchFile::operator=(ScratchFile&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(directory_, other.directory_);
    std::swap(size_, other.size_);
    return *this;
}

ScratchFile::~ScratchFile() {
    if (descriptor_ >= 0) {
        close(descriptor_);
    }
}

Status ScratchFile::append(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n =
            pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return refused("write", directory_, n == 0 ? ENOSPC : errno);
        }
        size_ += static_cast<std::uint64_t>(n);
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

Status ScratchFile::read(std::uint64_t offset, char* to, std::size_t size) const {
    while (size > 0) {
        const ssize_t n = pread(descriptor_, to, size, static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return refused("read", directory_, n == 0 ? EIO : errno);
        }
        offset += static_cast<std::uint64_t>(n);
        to += n;
        size -= static_cast<std::size_t>(n);
    }
    return {};
}

/// What is not used of the room costs nothing, and nothing is moved while it fills.
ScratchBytes::ScratchBytes(std::string directory, std::size_t memory_bytes)
    : directory_(std::move(directory)), memory_bytes_(memory_bytes) {
    memory_.reserve(memory_bytes_ + spare_bytes);
}

Status ScratchBytes::append(std::string_view bytes) {
    memory_ += bytes;
    if (memory_.size() < (file_ ? write_bytes : memory_bytes_)) {
        return {};
    }
    if (!file_) {
        HELIOS_TRY_ASSIGN(auto file, ScratchFile::make(directory_));
        file_ = std::make_unique<ScratchFile>(std::move(file));
    }
    HELIOS_TRY(file_->append(memory_));
    file_bytes_ = file_->size();
    memory_.clear();
    if (memory_.capacity() > 2 * write_bytes) {
        memory_.shrink_to_fit();
        memory_.reserve(write_bytes + spare_bytes);
    }
    return {};
}

Status ScratchBytes::read(std::uint64_t offset, char* to, std::size_t size) const {
    if (offset < file_bytes_) {
        const auto of_file =
            static_cast<std::size_t>(std::min<std::uint64_t>(size, file_bytes_ - offset));
        HELIOS_TRY(file_->read(offset, to, of_file));
        offset += of_file;
        to += of_file;
        size -= of_file;
    }
    std::memcpy(to, memory_.data() + (offset - file_bytes_), size);
    return {};
}

}  // namespace helios::reconcile
