#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <iterator>
#include <unistd.h>

#include "base/json.h"
#include "base/mutex.h"
#include "base/utf8.h"
#include "telemetry/telemetry.h"
#include "telemetry/trace_scope.h"

namespace helios::telemetry {
namespace {

constexpr std::array<std::string_view, 6> level_names = {"trace", "debug", "info",
                                                         "warn",  "error", "off"};

std::string_view to_string(Level level) {
    return level_names[static_cast<std::size_t>(level)];
}

void write_value(json::Writer& line, const Field& field) {
    line.key(field.key);
    struct Visitor {
        json::Writer& out;
        void operator()(std::string_view v) const { out.string(v); }
        void operator()(std::int64_t v) const { out.number(v); }
        void operator()(std::uint64_t v) const { out.number_u64(v); }
        void operator()(double v) const { out.real(v); }
        void operator()(bool v) const { out.boolean(v); }
    };
    std::visit(Visitor{line}, field.value);
}

/// What steers a terminal as escapes; JSON has done so for the first control characters. All of a
/// line's own characters are ASCII, so that others can only stand in its strings.
void escape_steering(std::string& line) {
    std::string out;
    for (std::size_t at = 0; at < line.size();) {
        const std::string_view rest = std::string_view(line).substr(at);
        const auto code_point = utf8::steering(rest);
        const std::size_t length = std::max<std::size_t>(1, utf8::sequence_length(rest));
        if (code_point) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", *code_point);
        } else {
            out.append(rest.substr(0, length));
        }
        at += length;
    }
    line = std::move(out);
}

bool may_steer(std::string_view line) {
    return std::ranges::any_of(line, [](char c) { return static_cast<unsigned char>(c) >= 0x7f; });
}

/// All of it in one write(2) where the kernel takes it, so that lines of several processes do not
/// mix. A log that cannot be written must not stop the work: the rest of the line is given up.
void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return;
        }
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

}  // namespace

struct Logger::State {
    const Clock& clock;
    std::atomic<Level> level;
    int fd = -1;
    std::vector<std::string>* sink = nullptr;
    Mutex mutex;  // one line after the other, also into a pipe that takes a line in parts
};

Logger::Logger(const Clock& clock, Level level, int fd)
    : state_(new State{clock, level, fd, nullptr, {}}) {}
Logger::Logger(const Clock& clock, Level level, std::vector<std::string>& sink)
    : state_(new State{clock, level, -1, &sink, {}}) {}
Logger::~Logger() = default;

void Logger::set_level(Level level) {
    state_->level.store(level, std::memory_order_relaxed);
}

bool Logger::enabled(Level level) const {
    return level != Level::off && level >= state_->level.load(std::memory_order_relaxed);
}

void Logger::log(Level level, std::string_view room, std::string_view message, Fields fields) {
    if (!enabled(level)) {
        return;
    }
    json::Writer line;
    line.begin_object();
    line.field("time", format_rfc3339(state_->clock.wall()));
    line.field("level", to_string(level)).field("room", room).field("message", message);
    for (const Field& field : fields) {
        write_value(line, field);
    }
    if (const TraceId& trace = current_trace()) {
        line.field("traceId", to_hex(trace));
    }
    line.end_object();
    std::string text = line.take();
    if (may_steer(text)) {
        escape_steering(text);
    }
    const MutexLock lock(state_->mutex);
    if (state_->sink != nullptr) {
        state_->sink->push_back(std::move(text));
        return;
    }
    text.push_back('\n');
    write_all(state_->fd, text);
}

Result<Level> parse_level(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (lower == "warning") {
        return Level::warn;
    }
    if (lower == "critical") {
        return Level::error;
    }
    const auto found = std::ranges::find(level_names, std::string_view(lower));
    if (found == level_names.end()) {
        return fail(ErrorKind::invalid,
                    "unknown log level \"" + std::string(text.substr(0, 64)) + "\"",
                    "use trace, debug, info, warn, error or off");
    }
    return static_cast<Level>(found - level_names.begin());
}

}  // namespace helios::telemetry
