#pragma once
/// The tail of the verdicts for many listeners: every revision, in the order of the log, from
/// wherever each one left off. Private to the room.
///
/// The log is the buffer. Listeners who have come to its end share one reader, and each revision is
/// read and written as JSON once for all of them. One that is behind (it resumes, or takes less
/// than there is) has a cursor of its own and is read for only while bytes may wait for it: so
/// nothing is skipped, nothing is repeated, and what a slow one costs is bounded. Knows no socket.

#include <compare>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "api/options.h"
#include "base/mutex.h"
#include "http/websocket.h"
#include "log/log.h"
#include "model/verdict.h"
#include "telemetry/telemetry.h"

namespace helios::api {

/// Which revisions a listener wants; what is absent restricts nothing.
struct StreamFilter {
    explicit StreamFilter(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    std::optional<std::string> flow;
    std::optional<std::string> key;
    std::optional<model::VerdictStatus> status;
    std::optional<model::FindingKind> kind;
    bool payloads = false;  ///< messages carry the events' payloads

    bool wants(const model::Verdict& verdict) const;
};

/// Thread-safe. Owns one thread, which sleeps while nobody listens. The log and the telemetry
/// outlive it; it outlives the WebSockets of its listeners.
class Stream {
public:
    Stream(const Options& options, log::Log& log, telemetry::Telemetry& telemetry);
    ~Stream();  ///< ends its thread; nobody may be listening any more
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    /// A listener, for the WebSocket that will carry it: one text per revision. It begins behind
    /// `after`, of several positions behind the earliest, else with what is not yet visible now.
    /// Reads the log: blocks. invalid: `after` is not, or no longer, a position of this log.
    Result<std::shared_ptr<http::WebSocketEvents>> listen(StreamFilter filter,
                                                          const std::optional<std::string>& after);

private:
    /// A place in the order in which readers deliver a topic.
    struct Place {
        Instant log_time{};
        Position at;
        friend auto operator<=>(const Place&, const Place&) = default;
    };
    struct Start {
        Place place;
        log::Offsets offsets;
    };
    struct Listener;
    class Rendering;
    using Listeners = std::vector<std::shared_ptr<Listener>>;

    Result<Start> start_of(const std::optional<std::string>& after);

    void run();
    bool take_news();
    bool serve_behind();
    void serve_current(Duration wait);
    Status catch_up(Listener& listener);
    Result<model::Verdict> decode(const log::StoredRecord& record);
    bool offer(Listener& listener, const Rendering& rendering);
    void set_current(std::unique_ptr<log::Reader> reader);
    void give_up(const Listeners& listeners, const Error& error);
    void wake();

    const Options& options_;
    log::Log& log_;
    telemetry::Telemetry& telemetry_;
    telemetry::Gauge& behind_;
    telemetry::Counter& revisions_;

    Listeners listeners_;  // of the thread

    Mutex mutex_;
    Condition news_come_;
    Listeners arrived_ HELIOS_GUARDED_BY(mutex_);
    bool news_ HELIOS_GUARDED_BY(mutex_) = false;
    bool stopping_ HELIOS_GUARDED_BY(mutex_) = false;
    /// At the end of the log; changed by the thread only, with the mutex held, and woken by
    /// anybody.
    std::unique_ptr<log::Reader> current_;

    std::thread thread_;  // last: it uses everything above
};

}  // namespace helios::api
