#pragma once
/// The disk as a parameter: exactly what journals and checkpoints need from a file system, no more.
///
/// Two implementations: PosixDisk (the machine's file system) and SimDisk (in memory; behind
/// `--ephemeral`, and in the simulator, where it loses power, tears sectors and fills up). It knows
/// nothing of journals, frames or records. Paths use '/' and are taken as they are.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace helios::log {

/// An open file. Thread-safe. Closed by the destructor. Every failure is `unavailable`, a full disk
/// is `exhausted` (the two are told apart because only the latter heals by itself).
class File {
public:
    virtual ~File() = default;

    /// Reads at `offset` into `into`; the count read. May be short at any time; 0 only at the end
    /// of the file.
    virtual Result<std::size_t> pread(std::uint64_t offset, std::span<char> into) = 0;
    /// Writes all of `bytes`, extending the file if need be. After a failure any part of the range
    /// may have been written.
    virtual Status pwrite(std::uint64_t offset, std::string_view bytes) = 0;
    /// fdatasync: what was written before is durable. After a failure nothing is known about writes
    /// since the last success, and a second call proves nothing.
    virtual Status sync() = 0;
    /// Makes the file at least `bytes` long, zero-filled, with its space set aside.
    virtual Status preallocate(std::uint64_t bytes) = 0;
    virtual Result<std::uint64_t> size() = 0;
    virtual Status truncate(std::uint64_t bytes) = 0;
    /// No name leads to it any more: what is written to it ends with it.
    virtual Result<bool> unlinked() = 0;
};

/// What tells a file or directory from another that has taken its name.
struct FileId {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    friend bool operator==(const FileId&, const FileId&) = default;
};

/// Held until destroyed. Advisory: it keeps out those who ask.
class DirectoryLock {
public:
    virtual ~DirectoryLock() = default;
    /// Writes who holds it into `path`, for the message that the next one gets. The lock holds
    /// without it.
    virtual Status sign(const std::string& path) = 0;
};

enum class OpenMode {
    read,    ///< must exist
    write,   ///< read and write, must exist
    create,  ///< read and write, made if absent
};

/// Thread-safe. Outlives its files. Names are durable only after sync_directory of their parent.
class Disk {
public:
    virtual ~Disk() = default;

    /// Makes the directory and its parents, durably; it may exist already. One that it makes is its
    /// owner's only, as are files.
    virtual Status make_directories(const std::string& path) = 0;
    /// One that is not there yet, in one that is; its name is not durable. As private as the above.
    virtual Status make_directory(const std::string& path) = 0;
    /// not_found: no such file. denied: permissions.
    virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
    /// Names in the directory, sorted, without "." and "..". not_found: no such directory.
    virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
    virtual Result<bool> exists(const std::string& path) = 0;
    /// not_found: nothing of that name.
    virtual Result<FileId> identify(const std::string& path) = 0;
    /// denied: this process may not write there, or nobody may.
    virtual Status check_writable(const std::string& path) = 0;
    /// What this process may still write on the file system that holds `path`.
    virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
    virtual Status remove(const std::string& path) = 0;
    /// The file, or the folder and all that is in it; nothing of that name is fine. What can't be
    /// removed stays, and so may more.
    virtual Status remove_all(const std::string& path) = 0;
    /// Replaces `to` if it exists (a folder: only an empty one); atomic. Folders, too.
    virtual Status rename(const std::string& from, const std::string& to) = 0;
    /// Another name for the same file, which is there. unavailable: also, the file system has none.
    virtual Status link(const std::string& from, const std::string& to) = 0;
    virtual Status sync_directory(const std::string& path) = 0;
    /// Locks the directory itself, so that no file that is removed or replaced in it can let in a
    /// second holder; changes nothing. conflict: somebody else holds it; `what` names the holder if
    /// `signature`, where holders sign, can be read.
    virtual Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory,
                                                        const std::string& signature) = 0;

    /// Bytes no earlier life of the journal can have had: the source of segment salts.
    virtual std::uint64_t random() = 0;
};

/// Fills `into` from `offset`, over short reads; the count is less than asked only at the end of
/// the file.
Result<std::size_t> read_fully(File& file, std::uint64_t offset, std::span<char> into);

/// The whole file; at most `bytes_max` (corrupt if it is larger).
Result<std::string> read_file(Disk& disk, const std::string& path, std::uint64_t bytes_max);

/// Replaces `directory/name` durably and atomically: a new file, synced, renamed over the old one,
/// directory synced.
Status replace_file(Disk& disk, const std::string& directory, const std::string& name,
                    std::string_view bytes);

}  // namespace helios::log
