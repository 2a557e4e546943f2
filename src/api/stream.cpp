#include "api/stream.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>

#include "api/known_position.h"
#include "api/render.h"
#include "base/thread_name.h"
#include "log/ordered_reader.h"
#include "model/topics.h"

namespace helios::api {

namespace {

constexpr Duration long_wait = std::chrono::hours(1);  // whatever happens wakes it

}  // namespace

bool StreamFilter::wants(const model::Verdict& verdict) const {
    return verdict.tenant == tenant && (!flow || *flow == verdict.flow) &&
           (!key || *key == verdict.key) && (!status || *status == verdict.status) &&
           (!kind ||
            std::any_of(verdict.findings.begin(), verdict.findings.end(),
                        [&](const model::Finding& finding) { return finding.kind == *kind; }));
}

struct Stream::Listener {
    Listener(StreamFilter f, Start start)
        : filter(std::move(f)), place(start.place), resume(std::move(start.offsets)) {}

    const StreamFilter filter;
    std::shared_ptr<http::WebSocket> socket;  ///< set before the thread sees it

    // Of the thread.
    Place place;           ///< everything up to and including it has been considered
    bool current = false;  ///< served from the common reader
    log::Offsets
        resume;  ///< while behind: where its reader begins; what is not past `place` is passed over
    std::unique_ptr<log::Reader> reader;

    /// It will not be served again: lets go of the log and of the client, whoever still holds the
    /// listener.
    void release() {
        reader.reset();
        socket.reset();
    }

    std::atomic<bool> room{true};
    std::atomic<bool> closed{false};
};

/// One record of the log, decoded and written at most once, whoever wants it.
class Stream::Rendering {
public:
    Rendering(log::Log& log, const log::StoredRecord& record, Result<model::Verdict> verdict)
        : log_(log), record_(record), verdict_(std::move(verdict)) {}

    Place place() const { return {record_.log_time, record_.at}; }
    const model::Verdict* verdict() const { return verdict_ ? &*verdict_ : nullptr; }

    const http::WebSocket::Text& text(bool payloads) const {
        auto& text = texts_[payloads ? 1 : 0];
        if (!text) {
            std::size_t bytes = 0;
            json::Writer out;
            out.begin_object();
            model::write_members(out, *verdict_,
                                 payloads ? payloads_from(log_, bytes) : model::HydratePayload());
            out.field("position", model::encode_position(
                                      {log::hash_of(log_.id()), record_.at, record_.log_time}));
            out.end_object();
            text = std::make_shared<const std::string>(out.take());
        }
        return text;
    }

private:
    log::Log& log_;
    const log::StoredRecord& record_;
    const Result<model::Verdict> verdict_;
    mutable std::array<http::WebSocket::Text, 2> texts_;
};

Stream::Stream(const Options& options, log::Log& log, telemetry::Telemetry& telemetry)
    : options_(options),
      log_(log),
      telemetry_(telemetry),
      behind_(
          telemetry.metrics.gauge("helios_api_stream_behind",
                                  "Listeners of the stream that are not at the end of the log")),
      revisions_(telemetry.metrics.counter("helios_api_stream_revisions_total",
                                           "Revisions handed to listeners of the stream")),
      thread_([this] { run(); }) {}

Stream::~Stream() {
    {
        const MutexLock lock(mutex_);
        stopping_ = true;
    }
    wake();
    thread_.join();
}

// From any thread

Result<Stream::Start> Stream::start_of(const std::optional<std::string>& after) {
    const auto partitions = log_.partitions_of(model::topic::verdicts);
    // Everything stamped before t has been considered.
    const auto before = [](Instant t) {
        return Place{t - log::log_time_grain,
                     {{model::topic::verdicts, std::numeric_limits<std::uint32_t>::max()},
                      Offset{std::numeric_limits<std::uint64_t>::max()}}};
    };
    if (!after) {
        // Not the greatest stamp that is durable: a record with a lesser one may become visible
        // only now.
        const Instant now = log_.low_watermark();
        HELIOS_TRY_ASSIGN(auto offsets, log_.offsets_at(partitions, now));
        return Start{before(now), std::move(offsets)};
    }
    HELIOS_TRY_ASSIGN(const auto positions, read_positions(log_, *after));
    const auto place_of = [&](const model::PositionToken& position) {
        const auto& pointer = position.pointer;
        return pointer.partition.topic == model::topic::verdicts ? Place{position.log_time, pointer}
                                                                 : before(position.log_time);
    };
    Place place = place_of(positions.front());
    Instant from = positions.front().log_time;
    for (const auto& position : positions) {
        place = std::min(place, place_of(position));
        from = std::min(from, position.log_time);
    }
    HELIOS_TRY_ASSIGN(auto offsets, log_.offsets_at(partitions, from));
    return Start{place, std::move(offsets)};
}

Result<std::shared_ptr<http::WebSocketEvents>> Stream::listen(
    StreamFilter filter, const std::optional<std::string>& after) {
    HELIOS_TRY_ASSIGN(auto start, start_of(after));
    auto listener = std::make_shared<Listener>(std::move(filter), std::move(start));
    auto events = std::make_shared<http::WebSocketEvents>();
    events->opened = [this, listener](std::shared_ptr<http::WebSocket> socket) {
        listener->socket = std::move(socket);
        {
            const MutexLock lock(mutex_);
            arrived_.push_back(listener);
        }
        wake();
    };
    events->room = [this, listener] {
        listener->room = true;
        wake();
    };
    events->closed = [this, listener] {
        listener->closed = true;
        wake();
    };
    return events;
}

void Stream::wake() {
    const MutexLock lock(mutex_);
    news_ = true;
    news_come_.notify_one();
    if (current_) {
        current_->wake();
    }
}

// On the thread

void Stream::run() {
    name_this_thread("stream");
    while (take_news()) {
        const bool more = serve_behind();
        if (current_) {
            serve_current(more ? Duration::zero() : long_wait);
        }
    }
    for (const auto& listener : listeners_) {
        listener->release();
    }
    set_current(nullptr);
}

/// Waits if there is nothing to read for anybody. False: it is over.
bool Stream::take_news() {
    MutexLock lock(mutex_);
    const auto can_be_served = [](const auto& listener) {
        return listener->room && !listener->closed;
    };
    news_come_.wait(lock, [&]() HELIOS_REQUIRES(mutex_) {
        return news_ || stopping_ || current_ ||
               std::any_of(listeners_.begin(), listeners_.end(), can_be_served);
    });
    news_ = false;
    listeners_.insert(listeners_.end(), arrived_.begin(), arrived_.end());
    arrived_.clear();
    std::erase_if(listeners_, [](const auto& listener) {
        const bool closed = listener->closed;
        if (closed) {
            listener->release();
        }
        return closed;
    });
    if (std::none_of(listeners_.begin(), listeners_.end(),
                     [](const auto& listener) { return listener->current; })) {
        current_.reset();
    }
    return !stopping_;
}

/// One turn for each who is behind and may be given something. True: they have more to read.
bool Stream::serve_behind() {
    bool more = false;
    std::size_t behind = 0;
    Listeners failed;
    for (const auto& listener : listeners_) {
        if (listener->current) {
            continue;
        }
        if (listener->room) {
            if (const auto read = catch_up(*listener); !read) {
                failed.push_back(listener);
                give_up({listener}, read.error());
                continue;
            }
        }
        behind += listener->current ? 0 : 1;
        more = more || (!listener->current && listener->room);
    }
    std::erase_if(listeners_, [&](const auto& l) {
        return std::find(failed.begin(), failed.end(), l) != failed.end();
    });
    behind_.set(static_cast<double>(behind));
    return more;
}

/// A turn of a listener's own reader. Nothing left: it goes over to the common one. That one was
/// last asked before, so it stands no further on than this listener; what it delivers again is
/// passed over.
Status Stream::catch_up(Listener& listener) {
    if (!listener.reader) {
        HELIOS_TRY_ASSIGN(listener.reader,
                          log::read_in_order(log_, listener.resume, model::rank_of));
    }
    log::Offsets before = listener.reader->position();
    HELIOS_TRY_ASSIGN(const auto batch, listener.reader->poll(options_.stream_records_max,
                                                              options_.stream_bytes_max, {}));
    if (batch.records.empty()) {
        listener.current = true;
        if (current_) {
            listener.reader.reset();
        } else {
            set_current(std::move(listener.reader));
        }
        return {};
    }
    for (const auto& record : batch.records) {
        if (!offer(listener, Rendering(log_, record, decode(record)))) {
            listener.resume =
                std::move(before);  // a batch is short: reading it again is cheaper than keeping it
            listener.reader.reset();
            break;
        }
    }
    return {};
}

void Stream::serve_current(Duration wait) {
    const log::Offsets before = current_->position();
    const auto batch = current_->poll(options_.stream_records_max, options_.stream_bytes_max, wait);
    if (!batch) {
        Listeners current;
        std::copy_if(listeners_.begin(), listeners_.end(), std::back_inserter(current),
                     [](const auto& l) { return l->current; });
        std::erase_if(listeners_, [](const auto& l) { return l->current; });
        set_current(nullptr);
        give_up(current, batch.error());
        return;
    }
    for (const auto& record : batch->records) {
        const Rendering rendering(log_, record, decode(record));
        for (const auto& listener : listeners_) {
            if (listener->current && !offer(*listener, rendering)) {
                listener->current = false;
                listener->resume = before;
            }
        }
    }
}

Result<model::Verdict> Stream::decode(const log::StoredRecord& record) {
    auto verdict = model::decode_verdict(record.value);
    if (!verdict) {
        telemetry_.logger.error(
            "api", "a record among the verdicts cannot be read: the stream passes over it",
            {{"partition", std::uint64_t{record.at.partition.index}},
             {"offset", record.at.offset.value},
             {"what", verdict.error().what}});
    }
    return verdict;
}

/// False: it takes no more for now, and has not been given this one.
bool Stream::offer(Listener& listener, const Rendering& rendering) {
    if (rendering.place() <= listener.place) {
        return true;
    }
    if (const auto* verdict = rendering.verdict();
        verdict != nullptr && listener.filter.wants(*verdict)) {
        listener.room =
            false;  // before asking: a refusal is followed by word of room, perhaps at once
        if (!listener.socket->send(rendering.text(listener.filter.payloads))) {
            return false;
        }
        listener.room = true;
        revisions_.add();
    }
    listener.place = rendering.place();
    return true;
}

void Stream::set_current(std::unique_ptr<log::Reader> reader) {
    const MutexLock lock(mutex_);
    current_ = std::move(reader);
}

void Stream::give_up(const Listeners& listeners, const Error& error) {
    const bool stopping = error.kind == ErrorKind::stopping;
    if (!stopping) {
        telemetry_.logger.warn(
            "api", "the stream cannot read the log: its listeners have to connect again",
            {{"listeners", std::uint64_t{listeners.size()}}, {"what", error.what}});
    }
    for (const auto& listener : listeners) {
        listener->socket->close(
            stopping ? http::CloseCode::going_away : http::CloseCode::internal_error,
            stopping ? "the server is shutting down"
                     : "the log cannot be read; connect again with after=");
        listener->release();
    }
}

}  // namespace helios::api
