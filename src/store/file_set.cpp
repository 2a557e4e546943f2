#include "store/file_set.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

namespace helios::store {

std::filesystem::path wal_of(std::filesystem::path file) {
    return std::move(file.concat("-wal"));
}
std::filesystem::path shm_of(std::filesystem::path file) {
    return std::move(file.concat("-shm"));
}

std::filesystem::path database_of(const std::filesystem::path& part) {
    const std::string name = part.string();
    for (const std::string_view end : {"-wal", "-shm"}) {
        if (name.ends_with(end)) {
            return name.substr(0, name.size() - end.size());
        }
    }
    return part;
}

Status remove_file_set(const std::filesystem::path& file) {
    for (const auto& part : {file, wal_of(file), shm_of(file)}) {
        std::error_code error;
        std::filesystem::remove(part, error);
        if (error) {
            return fail(ErrorKind::unavailable,
                        fmt::format("store: can't remove {}: {}", part.string(), error.message()));
        }
    }
    return {};
}

Status remake_file_set(Database& open, const std::filesystem::path& file) {
    const auto fresh = std::filesystem::path(file).concat(".new");
    std::error_code failed;
    std::filesystem::create_directory(file.parent_path(),
                                      failed);  // not those above: they are not the store's
    for (const auto& left : {fresh, wal_of(fresh), wal_of(file), shm_of(fresh), shm_of(file)}) {
        std::filesystem::remove(left, failed);
    }
    HELIOS_TRY(open.copy_into(fresh));
    std::filesystem::rename(fresh, file, failed);
    if (failed) {
        return fail(ErrorKind::unavailable,
                    fmt::format("store: {}: {}", file.string(), failed.message()));
    }
    return {};
}

namespace {

/// `may_lack`: where there is none, there is nothing to sync.
Status sync(const std::filesystem::path& path, bool may_lack) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && may_lack) {
        return {};
    }
    const bool synced = fd >= 0 && ::fsync(fd) == 0;
    const int why = errno;
    if (fd >= 0) {
        ::close(fd);
    }
    return synced ? Status{}
                  : fail(ErrorKind::unavailable, fmt::format("store: can't sync {}: {}",
                                                             path.string(), std::strerror(why)));
}

}  // namespace

/// Without a write-ahead log all of it is in the file itself.
Status sync_file_set(const std::filesystem::path& file) {
    HELIOS_TRY(sync(wal_of(file), true));
    return sync(file, false);
}

Status sync_folder(const std::filesystem::path& folder) {
    return sync(folder, false);
}

}  // namespace helios::store
