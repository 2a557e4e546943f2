#include "app/lines.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "app/interrupt.h"

namespace helios::app {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t chunk_bytes = 256u << 10;

/// Standard input stays open.
class Descriptor {
public:
    explicit Descriptor(const std::string& path)
        : number_(path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ > STDIN_FILENO) {
            close(number_);
        }
    }
    int number() const { return number_; }

private:
    int number_;
};

}  // namespace

std::string name_of_input(const std::string& path) {
    return path == "-" ? "stdin" : path;
}

Status read_lines(const std::string& path, const std::function<Status(std::uint64_t, std::string_view)>& visit,
                  const Interrupt* interrupt) {
    const auto refuse = [&](ErrorKind kind) {
        return fail(kind, fmt::format("can't read {}: {}", name_of_input(path), std::strerror(errno)));
    };
    const Descriptor file(path);
    if (file.number() < 0) {
        return refuse(ErrorKind::not_found);
    }
    std::uint64_t number = 0;
    const auto take = [&](std::string_view line) {
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (++number == 1 && line.starts_with(byte_order_mark)) {
            line.remove_prefix(byte_order_mark.size());
        }
        return visit(number, line);
    };
    std::string held;  // read, but its end has not come yet
    std::string chunk(chunk_bytes, '\0');
    for (;;) {
        if (interrupt != nullptr && !interrupt->wait_readable(file.number())) {
            return fail(ErrorKind::stopping, "interrupted");
        }
        const ssize_t n = read(file.number(), chunk.data(), chunk.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return refuse(ErrorKind::unavailable);
        }
        if (n == 0) {
            return held.empty() ? Status{} : take(held);
        }
        std::string_view rest(chunk.data(), static_cast<std::size_t>(n));
        for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
            held.append(rest.substr(0, held.empty() ? 0 : end));
            HELIOS_TRY(take(held.empty() ? rest.substr(0, end) : std::string_view(held)));
            held.clear();
            rest.remove_prefix(end + 1);
        }
        held.append(rest);
    }
}

}  // namespace helios::app
