#include "base/temporary_directory.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <utility>

namespace helios {

Result<std::string> temporary_directory() {
    std::error_code error;
    const auto path = std::filesystem::temp_directory_path(error);
    if (error) {
        return fail(ErrorKind::unavailable,
                    fmt::format("no directory for temporary files: {}", error.message()),
                    "set TMPDIR to one that can be written");
    }
    return path.string();
}

Result<TemporaryDirectory> TemporaryDirectory::make(const std::string& name_prefix) {
    HELIOS_TRY_ASSIGN(const auto parent, temporary_directory());
    auto path = parent + "/" + name_prefix + "XXXXXX";
    if (mkdtemp(path.data()) == nullptr) {
        return fail(
            ErrorKind::unavailable,
            fmt::format("can't make a directory under {}: {}", parent, std::strerror(errno)),
            "set TMPDIR to a directory that can be written");
    }
    return TemporaryDirectory(std::move(path));
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

TemporaryDirectory& TemporaryDirectory::operator=(TemporaryDirectory&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
}

TemporaryDirectory::~TemporaryDirectory() {
    if (!path_.empty()) {
        std::error_code ignored;  // nothing to be done about it here
        std::filesystem::remove_all(path_, ignored);
    }
}

}  // namespace helios
