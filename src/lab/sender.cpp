#include "lab/sender.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "lab/load_connections.h"

namespace helios::lab {
namespace {

/// Waking up for every single request of a fast schedule would take the server's processor time: a
/// few are sent together, and the wait counts as latency.
constexpr Duration wake_min = std::chrono::microseconds(200);

std::uint64_t number_after(std::string_view text, std::string_view name) {
    std::size_t at = text.find(name);
    std::uint64_t value = 0;
    if (at != std::string_view::npos) {
        std::from_chars(text.data() + at + name.size(), text.data() + text.size(), value);
    }
    return value;
}

/// Turns the stream into requests, in order of their intended times.
class Requests {
public:
    struct Next {
        std::string bytes;
        std::vector<std::uint64_t> orders;
        Duration intended{};  ///< since the start
        bool batch = false;   ///< answered by /events/batch, with counts
    };

    Requests(const BenchOptions& options, const CorpusText& text)
        : options_(options),
          text_(text),
          stream_(options, orders_for(options), held_for(options)) {}

    /// False when nothing is left.
    bool next(Next& request) {
        CorpusEvent event;
        while (stream_.next(event)) {
            events += 1;
            repeats += event.repeat ? 1 : 0;
            Duration due(static_cast<std::int64_t>(static_cast<double>(events - 1) * 1e9 /
                                                   static_cast<double>(options_.rate)));
            if (options_.mode == BenchOptions::Mode::single) {
                request.bytes.clear();
                text_.append(request.bytes, event, CorpusText::Form::request);
                request.orders.assign(1, event.order);
                request.intended = due;
                request.batch = false;
                return true;
            }
            bool grid = options_.mode == BenchOptions::Mode::grid && event.leg == Leg::inventory;
            Buffer& buffer = grid ? grid_ : lines_;
            add(buffer, event, grid ? CorpusText::Form::grid : CorpusText::Form::line);
            last_due_ = due;
            if (buffer.orders.size() == options_.batch) {
                close(buffer, request, grid);
                return true;
            }
        }
        for (Buffer* buffer : {&lines_, &grid_}) {
            if (!buffer->orders.empty()) {
                close(*buffer, request, buffer == &grid_);
                return true;
            }
        }
        return false;
    }

    std::uint64_t events = 0;
    std::uint64_t repeats = 0;

private:
    struct Buffer {
        std::string body;
        std::vector<std::uint64_t> orders;
    };

    static std::uint64_t held_for(const BenchOptions& options) {
        return static_cast<std::uint64_t>(std::chrono::duration<double>(options.late_by).count() *
                                          static_cast<double>(options.rate));
    }

    void add(Buffer& buffer, const CorpusEvent& event, CorpusText::Form form) {
        buffer.body += buffer.orders.empty() ? '[' : ',';
        text_.append(buffer.body, event, form);
        buffer.orders.push_back(event.order);
    }

    /// A batch is due when its last event is.
    void close(Buffer& buffer, Next& request, bool grid) {
        buffer.body += ']';
        request.bytes = fmt::format(
            "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
            "application/json\r\n{}Content-Length: {}\r\n\r\n",
            grid ? "/api/v1/webhooks/azure/eventgrid" : "/api/v1/events/batch",
            grid ? "aeg-event-type: Notification\r\n" : "", buffer.body.size());
        request.bytes += buffer.body;
        request.orders.swap(buffer.orders);
        request.intended = last_due_;
        request.batch = !grid;
        buffer.body.clear();
        buffer.orders.clear();
    }

    const BenchOptions& options_;
    const CorpusText& text_;
    CorpusStream stream_;
    Duration last_due_{};
    Buffer lines_;
    Buffer grid_;
};

/// One run. Requests under way are remembered by their tag.
class Run {
public:
    Run(const BenchOptions& options, const CorpusText& text, const Clock& clock)
        : clock_(clock), requests_(options, text), settle_(options.settle_limit) {
        totals_.orders = orders_for(options);
    }

    void answer(const LoadAnswer& answer) {
        UnderWay& request = under_way_[answer.tag];
        last_answer_ = clock_.monotonic();
        std::uint64_t events = request.orders.size();
        std::uint64_t bad = 0;
        if (answer.status >= 200 && answer.status < 300) {
            totals_.requests_ok += 1;
            totals_.latency.record(last_answer_ - start_ - request.intended);
            if (request.batch) {
                totals_.batch_accepted += number_after(answer.body, "\"accepted\":");
                totals_.batch_duplicate += number_after(answer.body, "\"duplicate\":");
                bad = number_after(answer.body, "\"failed\":") +
                      number_after(answer.body, "\"quarantined\":") +
                      number_after(answer.body, "\"conflict\":");
                totals_.batch_failed += bad;
            }
        } else {
            totals_.refused[answer.status] += 1;
            bad = events;
        }
        totals_.events_ok += events - std::min(events, bad);
        if (bad > 0) {
            totals_.unsure.insert(request.orders.begin(), request.orders.end());
        }
        free_.push_back(answer.tag);
    }

    SendTotals run(LoadConnections& connections, const std::atomic<bool>& stop) {
        Requests::Next next;
        bool more = requests_.next(next);
        start_ = clock_.monotonic() + std::chrono::milliseconds(5);
        last_answer_ = start_;
        Duration last_sent = start_;
        while (!stop) {
            Duration now = clock_.monotonic();
            while (more && connections.has_room() && start_ + next.intended <= now) {
                connections.send(remember(next), next.bytes);
                totals_.lag.record(now - start_ - next.intended);
                last_sent = now;
                more = requests_.next(next);
            }
            bool dead = !connections.has_room() && connections.under_way() == 0;
            bool waited_enough = !more && now - last_sent > settle_;
            if (dead || waited_enough || (!more && connections.under_way() == 0)) {
                break;
            }
            Duration wait = more && connections.has_room()
                                ? std::max(wake_min, start_ + next.intended - now)
                                : std::chrono::milliseconds(20);
            connections.turn(std::min<Duration>(wait, std::chrono::milliseconds(20)));
        }
        totals_.stopped = stop || more;
        totals_.events = requests_.events;
        totals_.repeats = requests_.repeats;
        totals_.sending = last_sent - start_;
        totals_.answering = last_answer_ - start_;
        totals_.broken_connections = connections.broken();
        totals_.refused[0] += connections.under_way();
        if (totals_.refused[0] == 0) {
            totals_.refused.erase(0);
        }
        return std::move(totals_);
    }

private:
    struct UnderWay {
        Duration intended{};
        std::vector<std::uint64_t> orders;
        bool batch = false;
    };

    std::uint64_t remember(Requests::Next& next) {
        if (free_.empty()) {
            free_.push_back(under_way_.size());
            under_way_.emplace_back();
        }
        std::uint64_t tag = free_.back();
        free_.pop_back();
        UnderWay& request = under_way_[tag];
        request.intended = next.intended;
        request.orders.swap(next.orders);
        request.batch = next.batch;
        totals_.requests += 1;
        return tag;
    }

    const Clock& clock_;
    Requests requests_;
    Duration settle_;
    SendTotals totals_;
    Duration start_{};
    Duration last_answer_{};
    std::vector<UnderWay> under_way_;
    std::vector<std::uint64_t> free_;
};

}  // namespace

std::uint64_t SendTotals::errors() const {
    std::uint64_t n = 0;
    for (const auto& [status, count] : refused) {
        n += count;
    }
    return n;
}

double SendTotals::events_per_second() const {
    double seconds = std::chrono::duration<double>(answering).count();
    return seconds > 0 ? static_cast<double>(events_ok) / seconds : 0;
}

std::uint64_t orders_for(const BenchOptions& options) {
    double wanted =
        std::chrono::duration<double>(options.duration).count() * static_cast<double>(options.rate);
    double events = std::min(wanted, static_cast<double>(options.events_max));
    double per_order = 3.0 * (1.0 + static_cast<double>(options.duplicates_per_thousand) / 1000.0);
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(events / per_order));
}

Result<SendTotals> send_corpus(const BenchOptions& options, const http::Url& url,
                               const CorpusText& text, const Clock& clock,
                               const std::atomic<bool>& stop) {
    Run run(options, text, clock);
    HELIOS_TRY_ASSIGN(
        auto connections,
        LoadConnections::open(url, options.ca_file, options.connections, options.pipeline_max,
                              [&](const LoadAnswer& answer) { run.answer(answer); }));
    return run.run(*connections, stop);
}

}  // namespace helios::lab
