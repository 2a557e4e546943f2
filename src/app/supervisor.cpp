#include "app/supervisor.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace helios::app {
namespace {

constexpr Duration opening_limit = std::chrono::minutes(30);  // a log of many segments after a kill
constexpr Duration catching_up_limit = std::chrono::seconds(60);

std::optional<std::uint64_t> number(const Environment& environment, const std::string& name) {
    const auto found = environment.find(name);
    if (found == environment.end()) {
        return std::nullopt;
    }
    const auto& text = found->second;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(value)
                                                                    : std::nullopt;
}

std::int64_t microseconds(Duration duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

/// A status is one line.
std::string one_line(std::string_view text) {
    std::string out(text);
    std::replace(out.begin(), out.end(), '\n', ' ');
    return out;
}

}  // namespace

Supervisor::Supervisor(const Environment& environment) {
    const auto named = environment.find("NOTIFY_SOCKET");
    if (named == environment.end() || (named->second[0] != '/' && named->second[0] != '@') ||
        named->second.size() >= sizeof(sockaddr_un::sun_path)) {
        return;
    }
    address_ = named->second;
    if (address_[0] == '@') {
        address_[0] = '\0';
    }
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto usec = number(environment, "WATCHDOG_USEC");
    const bool for_us =
        !environment.contains("WATCHDOG_PID") ||
        number(environment, "WATCHDOG_PID") == static_cast<std::uint64_t>(::getpid());
    constexpr std::uint64_t sane = 1'000'000ull * 60 * 60 * 24 * 366;
    if (usec && *usec > 1 && *usec <= sane && for_us) {
        watchdog_ = std::chrono::microseconds(*usec / 2);
    }
}

Supervisor::~Supervisor() {
    if (socket_ >= 0) {
        ::close(socket_);
    }
}

void Supervisor::tell(std::string_view state) const {
    if (!present()) {
        return;
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, address_.data(), address_.size());
    // An abstract name ends with the address, a path with its NUL.
    const auto size =
        offsetof(sockaddr_un, sun_path) + address_.size() + (address_[0] == '\0' ? 0 : 1);
    ::sendto(socket_, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
             reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size));
}

void Supervisor::opening() const {
    tell(fmt::format("EXTEND_TIMEOUT_USEC={}\nSTATUS=opening the data directory",
                     microseconds(opening_limit)));
}

void Supervisor::catching_up(std::string_view what) const {
    tell(fmt::format("EXTEND_TIMEOUT_USEC={}\nSTATUS=not ready yet: {}",
                     microseconds(catching_up_limit), one_line(what)));
}

void Supervisor::ready(std::string_view url) const {
    tell(fmt::format("READY=1\nSTATUS=listening on {}", url));
}

void Supervisor::alive() const {
    tell("WATCHDOG=1");
}

void Supervisor::stopping() const {
    tell("STOPPING=1\nSTATUS=finishing what is in flight");
}

}  // namespace helios::app
