#include "log/disk.h"

#include <fmt/format.h>

namespace helios::log {

Result<std::size_t> read_fully(File& file, std::uint64_t offset, std::span<char> into) {
    std::size_t done = 0;
    while (done < into.size()) {
        HELIOS_TRY_ASSIGN(const std::size_t n, file.pread(offset + done, into.subspan(done)));
        if (n == 0) {
            break;
        }
        done += n;
    }
    return done;
}

Result<std::string> read_file(Disk& disk, const std::string& path, std::uint64_t bytes_max) {
    HELIOS_TRY_ASSIGN(auto file, disk.open(path, OpenMode::read));
    HELIOS_TRY_ASSIGN(const std::uint64_t size, file->size());
    if (size > bytes_max) {
        return fail(ErrorKind::corrupt, fmt::format("{} has {} bytes, more than the {} it can have",
                                                    path, size, bytes_max));
    }
    std::string bytes(size, '\0');
    HELIOS_TRY_ASSIGN(const std::size_t n, read_fully(*file, 0, bytes));
    bytes.resize(n);
    return bytes;
}

Status replace_file(Disk& disk, const std::string& directory, const std::string& name,
                    std::string_view bytes) {
    const std::string path = directory + "/" + name;
    const std::string fresh = path + ".new";
    {
        HELIOS_TRY_ASSIGN(auto file, disk.open(fresh, OpenMode::create));
        HELIOS_TRY(file->truncate(0));
        HELIOS_TRY(file->pwrite(0, bytes));
        HELIOS_TRY(file->sync());
    }
    HELIOS_TRY(disk.rename(fresh, path));
    return disk.sync_directory(directory);
}

}  // namespace helios::log
