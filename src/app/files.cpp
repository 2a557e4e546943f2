#include "app/files.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <memory>

namespace helios::app {

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
    const auto refuse = [&](int error) {
        const auto kind = error == ENOENT   ? ErrorKind::not_found
                          : error == EACCES ? ErrorKind::denied
                                            : ErrorKind::unavailable;
        return fail(kind, fmt::format("can't read {}: {}", path, std::strerror(error)));
    };
    std::FILE* file = path == "-" ? stdin : std::fopen(path.c_str(), "rb");
    if (file == nullptr) {
        return refuse(errno);
    }
    const std::unique_ptr<std::FILE, void (*)(std::FILE*)> close(file, [](std::FILE* f) {
        if (f != stdin) {
            std::fclose(f);
        }
    });
    std::string out;
    char chunk[64 << 10];
    for (std::size_t n = 0; (n = std::fread(chunk, 1, sizeof chunk, file)) > 0;) {
        if (out.size() + n > bytes_max) {
            return fail(ErrorKind::exhausted,
                        fmt::format("{} is larger than {} bytes", path, bytes_max));
        }
        out.append(chunk, n);
    }
    if (std::ferror(file) != 0) {
        return refuse(errno);
    }
    return out;
}

}  // namespace helios::app
