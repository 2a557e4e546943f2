#pragma once
/// What the process says about itself: metrics, structured logs, trace context. The only room that
/// knows the libraries behind them. Every other room is handed a `Telemetry&`.

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace helios::telemetry {

using Labels = std::map<std::string, std::string>;

/// Thread-safe, lock-free. Lives as long as its Metrics.
class Counter {
public:
    virtual ~Counter() = default;
    virtual void add(double n = 1) = 0;
    virtual double value() const = 0;
};
class Gauge {
public:
    virtual ~Gauge() = default;
    virtual void set(double v) = 0;
    virtual void add(double d) = 0;
    virtual double value() const = 0;
};
class Histogram {
public:
    virtual ~Histogram() = default;
    virtual void observe(double v) = 0;
};

/// The registry. Asking twice for the same name and labels gives the same object. Thread-safe; look
/// a metric up once and keep the reference (lookup takes a lock). Label values must be bounded:
/// never an id, never free text.
class Metrics {
public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
    Histogram& histogram(std::string_view name, std::string_view help,
                         const std::vector<double>& buckets, const Labels& labels = {});

    /// Prometheus text format 0.0.4.
    std::string expose() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

enum class Level { trace, debug, info, warn, error, off };
Result<Level> parse_level(std::string_view text);  ///< any case; "warning" and "critical" too

struct Field {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;
    Field(std::string_view k, std::string_view v) : key(k), value(v) {}
    Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
    Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
    Field(std::string_view k, std::int64_t v) : key(k), value(v) {}
    Field(std::string_view k, int v) : key(k), value(std::int64_t{v}) {}
    Field(std::string_view k, std::uint64_t v) : key(k), value(v) {}
    Field(std::string_view k, std::uint32_t v) : key(k), value(std::uint64_t{v}) {}
    Field(std::string_view k, double v) : key(k), value(v) {}
    Field(std::string_view k, bool v) : key(k), value(v) {}
};
using Fields = std::initializer_list<Field>;

/// Structured log: one JSON object per line, `{"time":…,"level":…,"room":…,"message":…, fields…}`,
/// and `traceId` within a TraceScope.
/// Levels are a contract: error = data lost or an invariant broken, wake someone; warn =
/// unexpected, recovered; info = state changed; debug = for developers. Thread-safe. Secrets never
/// go in (callers' duty).
class Logger {
public:
    /// Lines go to file descriptor `fd` (2 = stderr).
    Logger(const Clock& clock, Level level, int fd = 2);
    /// Lines are collected into `sink` (tests).
    Logger(const Clock& clock, Level level, std::vector<std::string>& sink);
    ~Logger();
    Logger(const Logger&) = delete;
    Logger& operator=(const Logger&) = delete;

    void set_level(Level level);
    bool enabled(Level level) const;
    void log(Level level, std::string_view room, std::string_view message, Fields fields = {});
    void debug(std::string_view room, std::string_view message, Fields fields = {}) {
        log(Level::debug, room, message, fields);
    }
    void info(std::string_view room, std::string_view message, Fields fields = {}) {
        log(Level::info, room, message, fields);
    }
    void warn(std::string_view room, std::string_view message, Fields fields = {}) {
        log(Level::warn, room, message, fields);
    }
    void error(std::string_view room, std::string_view message, Fields fields = {}) {
        log(Level::error, room, message, fields);
    }

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// What a room needs to speak. Thread-safe; outlives every room.
struct Telemetry {
    Metrics metrics;
    Logger logger;
    Telemetry(const Clock& clock, Level level, int fd = 2) : logger(clock, level, fd) {}
    Telemetry(const Clock& clock, Level level, std::vector<std::string>& sink)
        : logger(clock, level, sink) {}
};

}  // namespace helios::telemetry
