#include "app/lines.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "app/interrupt.h"

namespace helios::app {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t chunk_bytes = 256u << 10;
constexpr Duration idle_after = std::chrono::seconds(1);

/// Standard input stays open.
class Descriptor {
public:
    explicit Descriptor(const std::string& path) : number_(STDIN_FILENO) {
        if (path == "-") {
            return;
        }
        // Opening a named pipe that has no writer would block, and not end by a signal that was
        // ignored.
        struct stat info{};
        named_pipe_ = stat(path.c_str(), &info) == 0 && S_ISFIFO(info.st_mode);
        number_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | (named_pipe_ ? O_NONBLOCK : 0));
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ > STDIN_FILENO) {
            close(number_);
        }
    }
    int number() const { return number_; }
    bool named_pipe() const { return named_pipe_; }

private:
    int number_;
    bool named_pipe_ = false;
};

enum class Waited : std::uint8_t { readable, raised, in_vain };

/// Until reading would not block, or `limit` has passed.
Waited wait_for(int descriptor, const Interrupt* interrupt, Duration limit) {
    const SystemClock clock;
    const Duration until = clock.monotonic() + limit;
    for (;;) {
        if (interrupt != nullptr && interrupt->raised()) {
            return Waited::raised;
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            std::max(until - clock.monotonic(), Duration::zero()));
        pollfd waiting[] = {{descriptor, POLLIN, 0},
                            {interrupt == nullptr ? -1 : interrupt->descriptor(), POLLIN, 0}};
        const int ready = poll(waiting, 2,
                               static_cast<int>(std::min<std::int64_t>(
                                   left.count(), std::numeric_limits<int>::max())));
        if (ready > 0 && waiting[1].revents == 0) {
            return Waited::readable;
        }
        if (ready == 0) {
            return Waited::in_vain;
        }
    }
}

/// What people hand over in place of lines, by its first bytes, and what to do about it.
Status check_beginning(std::string_view bytes, const std::string& path) {
    struct Other {
        std::string_view magic;  // '?' stands for any byte
        const char* what;
        const char* unpack;
    };
    using namespace std::string_view_literals;
    constexpr Other others[] = {{"\x1f\x8b\x08", "gzip-compressed", "zcat"},
                                {"\x28\xb5\x2f\xfd", "zstd-compressed", "zstdcat"},
                                {"\xfd\x37zXZ", "xz-compressed", "xzcat"},
                                {"BZh?1AY&SY", "bzip2-compressed", "bzcat"},
                                {"PK\x03\x04", "a zip archive", "unzip -p"},
                                {"\xff\xfe?\0"sv, "UTF-16, not UTF-8", "iconv -f UTF-16 -t UTF-8"},
                                {"\xfe\xff\0?"sv, "UTF-16, not UTF-8", "iconv -f UTF-16 -t UTF-8"}};
    for (const auto& other : others) {
        const bool is_it = bytes.size() >= other.magic.size() &&
                           std::equal(other.magic.begin(), other.magic.end(), bytes.begin(),
                                      [](char m, char b) { return m == '?' || m == b; });
        if (is_it) {
            return fail(ErrorKind::invalid,
                        fmt::format("can't read {}: it is {}", name_of_input(path), other.what),
                        fmt::format("{} {} | helios …", other.unpack, path == "-" ? "FILE" : path));
        }
    }
    return {};
}

/// Cuts what is read into lines.
class Cutter {
public:
    Cutter(const std::function<Status(std::uint64_t, std::string_view)>& visit,
           const LineReading& reading, std::string name)
        : visit_(visit), reading_(reading), name_(std::move(name)) {}

    Status take(std::string_view bytes) {
        for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
            HELIOS_TRY(finish(bytes.substr(0, end)));
            bytes.remove_prefix(end + 1);
        }
        if (!hold(bytes)) {
            passed_over_ += bytes.size();
            report(bytes.size());
        }
        return {};
    }
    /// The last line needs no end.
    Status end() { return held_.empty() && passed_over_ == 0 ? Status{} : finish({}); }

private:
    /// False: the line is longer than may be; nothing of it is held any more.
    bool hold(std::string_view part) {
        if (passed_over_ == 0 && held_.size() + part.size() <= line_bytes_max) {
            held_.append(part);
            return true;
        }
        passed_over_ += held_.size();
        report(held_.size());
        held_ = std::string();
        return false;
    }

    Status finish(std::string_view last) {
        ++number_;
        report(held_.size() + last.size() + 1);
        if (passed_over_ > 0 || held_.size() + last.size() > line_bytes_max) {
            const auto bytes = std::exchange(passed_over_, 0) + held_.size() + last.size();
            held_ = std::string();
            return reading_.too_long
                       ? reading_.too_long(number_, bytes)
                       : fail(ErrorKind::invalid,
                              fmt::format("{}:{}: a line of {} bytes: no event is as long", name_,
                                          number_, bytes));
        }
        if (held_.empty()) {
            return visit(last);
        }
        held_.append(last);
        const auto line = std::exchange(held_, {});
        return visit(line);
    }

    void report(std::size_t bytes) const {
        if (reading_.read) {
            reading_.read(bytes);
        }
    }

    Status visit(std::string_view line) {
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (number_ == 1 && line.starts_with(byte_order_mark)) {
            line.remove_prefix(byte_order_mark.size());
        }
        return visit_(number_, line);
    }

    const std::function<Status(std::uint64_t, std::string_view)>& visit_;
    const LineReading& reading_;
    const std::string name_;
    std::string held_;               ///< read, but its end has not come yet
    std::uint64_t passed_over_ = 0;  ///< bytes so far of a line that is too long
    std::uint64_t number_ = 0;
};

}  // namespace

std::string name_of_input(const std::string& path) {
    return path == "-" ? "stdin" : path;
}

std::uint64_t bytes_of_inputs(const std::vector<std::string>& paths) {
    std::uint64_t sum = 0;
    for (const auto& path : paths) {
        struct stat info{};
        const bool known =
            (path == "-" ? fstat(STDIN_FILENO, &info) : stat(path.c_str(), &info)) == 0;
        if (known && S_ISREG(info.st_mode)) {
            sum += static_cast<std::uint64_t>(info.st_size);
        } else if (known && !S_ISDIR(info.st_mode)) {
            return 0;
        }
    }
    return sum;
}

Status read_lines(const std::string& path,
                  const std::function<Status(std::uint64_t, std::string_view)>& visit,
                  const LineReading& reading) {
    const auto refuse = [&](ErrorKind kind) {
        return fail(kind,
                    fmt::format("can't read {}: {}", name_of_input(path), std::strerror(errno)));
    };
    const Descriptor file(path);
    if (file.number() < 0) {
        return refuse(ErrorKind::not_found);
    }
    if (file.named_pipe()) {
        const auto waited = wait_for(file.number(), reading.interrupt, reading.writer_timeout);
        if (waited == Waited::in_vain) {
            return fail(
                ErrorKind::unavailable,
                fmt::format("can't read {}: a named pipe, and nobody has written to it for {}",
                            name_of_input(path), format_duration(reading.writer_timeout)),
                "start what writes to it; --timeout says how long to wait");
        }
        fcntl(file.number(), F_SETFL, fcntl(file.number(), F_GETFL) & ~O_NONBLOCK);
    }
    Cutter cutter(visit, reading, name_of_input(path));
    std::string chunk(chunk_bytes, '\0');
    bool begun = false;
    bool told_idle = false;
    for (;;) {
        if (reading.interrupt != nullptr || reading.idle) {
            const auto limit =
                reading.idle && !told_idle ? idle_after : Duration(std::chrono::hours(1));
            const auto waited = wait_for(file.number(), reading.interrupt, limit);
            if (waited == Waited::raised) {
                return fail(ErrorKind::stopping, "interrupted");
            }
            if (waited == Waited::in_vain) {
                HELIOS_TRY(reading.idle && !told_idle ? reading.idle() : Status{});
                told_idle = true;
                continue;
            }
        }
        const ssize_t n = read(file.number(), chunk.data(), chunk.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return refuse(ErrorKind::unavailable);
        }
        if (n == 0) {
            return cutter.end();
        }
        const std::string_view bytes(chunk.data(), static_cast<std::size_t>(n));
        HELIOS_TRY(begun ? Status{} : check_beginning(bytes, path));
        begun = true;
        told_idle = false;
        HELIOS_TRY(cutter.take(bytes));
    }
}

}  // namespace helios::app
