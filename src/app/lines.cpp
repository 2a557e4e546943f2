#include "app/lines.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <memory>

namespace helios::app {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

void close_unless_standard(std::FILE* file) {
    if (file != stdin) {
        std::fclose(file);
    }
}

struct Buffer {
    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { std::free(bytes); }
    char* bytes = nullptr;
    std::size_t capacity = 0;
};

}  // namespace

std::string name_of_input(const std::string& path) {
    return path == "-" ? "stdin" : path;
}

Status read_lines(const std::string& path, const std::function<Status(std::uint64_t, std::string_view)>& visit) {
    const auto refuse = [&](ErrorKind kind) {
        return fail(kind, fmt::format("can't read {}: {}", name_of_input(path), std::strerror(errno)));
    };
    const std::unique_ptr<std::FILE, void (*)(std::FILE*)> file(path == "-" ? stdin : std::fopen(path.c_str(), "rb"),
                                                                close_unless_standard);
    if (!file) {
        return refuse(ErrorKind::not_found);
    }
    Buffer buffer;
    std::uint64_t number = 0;
    for (;;) {
        errno = 0;
        const ssize_t n = getline(&buffer.bytes, &buffer.capacity, file.get());
        if (n < 0) {
            return std::ferror(file.get()) != 0 || std::feof(file.get()) == 0 ? Status(refuse(ErrorKind::unavailable)) : Status{};
        }
        std::string_view line(buffer.bytes, static_cast<std::size_t>(n));
        while (line.ends_with('\n') || line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (++number == 1 && line.starts_with(byte_order_mark)) {
            line.remove_prefix(byte_order_mark.size());
        }
        HELIOS_TRY(visit(number, line));
    }
}

}  // namespace helios::app
