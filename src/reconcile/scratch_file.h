#pragma once
/// Files without a name: what offline work can't hold in memory. They go with their descriptor,
/// however the process ends.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace helios::reconcile {

/// corrupt: what was read from one can't be what was written.
std::unexpected<Error> broken_scratch();

/// Written at its end, read anywhere. One writer; reading is thread-safe.
class ScratchFile {
public:
    /// In `directory`. unavailable, as everything here: the error names the directory and says what
    /// to do.
    static Result<ScratchFile> make(const std::string& directory);
    ScratchFile(ScratchFile&& other) noexcept;
    ScratchFile& operator=(ScratchFile&& other) noexcept;
    ~ScratchFile();

    Status append(std::string_view bytes);
    /// Exactly `size` bytes from `offset` on.
    Status read(std::uint64_t offset, char* to, std::size_t size) const;
    std::uint64_t size() const { return size_; }

private:
    ScratchFile(int descriptor, std::string directory)
        : descriptor_(descriptor), directory_(std::move(directory)) {}

    int descriptor_ = -1;
    std::string directory_;
    std::uint64_t size_ = 0;
};

/// Bytes one after the other: in memory while they are few, then in a ScratchFile. One thread.
class ScratchBytes {
public:
    ScratchBytes(std::string directory, std::size_t memory_bytes);

    std::uint64_t size() const { return file_bytes_ + memory_.size(); }
    Status append(std::string_view bytes);
    Status read(std::uint64_t offset, char* to, std::size_t size) const;

private:
    std::string directory_;
    std::size_t memory_bytes_;
    std::string memory_;  ///< what comes after the file
    std::uint64_t file_bytes_ = 0;
    std::unique_ptr<ScratchFile> file_;
};

}  // namespace helios::reconcile
