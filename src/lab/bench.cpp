#include "lab/bench.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <thread>

#include "base/json.h"
#include "http/client.h"
#include "lab/corpus.h"
#include "lab/metrics_text.h"
#include "lab/process_time.h"
#include "lab/score.h"

namespace helios::lab {
namespace {

constexpr std::size_t wrong_shown = 10;
constexpr Duration standstill_max = std::chrono::seconds(3);

std::string_view name_of(BenchOptions::Mode mode) {
    switch (mode) {
        case BenchOptions::Mode::single:
            return "single";
        case BenchOptions::Mode::grid:
            return "grid";
        case BenchOptions::Mode::direct:
            return "direct";
    }
    return "?";
}

std::string in_ms(Duration d) {
    return fmt::format("{:.2f} ms", std::chrono::duration<double, std::milli>(d).count());
}
double in_seconds(Duration d) {
    return std::chrono::duration<double>(d).count();
}

/// One run's second half: waiting for the verdicts, then judging them.
class Judge {
public:
    Judge(const BenchOptions& options, const http::Url& url, const CorpusText& text,
          const SendTotals& sent, const Clock& clock, const std::atomic<bool>& stop)
        : options_(options),
          text_(text),
          sent_(sent),
          clock_(clock),
          stop_(stop),
          client_(url, std::chrono::seconds(30), options.ca_file) {
        for (std::uint64_t n = 0; n < sent.orders; ++n) {
            if (!sent.unsure.contains(n)) {
                verdicts_.orders_sure += 1;
                verdicts_.labelled += is_mismatch(options, n) ? 1 : 0;
            }
        }
    }

    /// First decided verdicts of all cases so far.
    static double decided(http::Client& client) {
        double sum = 0;
        if (Result<http::Response> metrics = client.get("/metrics");
            metrics && metrics->status == 200) {
            for (const auto& [status, n] :
                 sum_by_label(metrics->body, "helios_events_reconciled_total", "status")) {
                sum += n;
            }
        }
        return sum;
    }

    /// Log time (Unix seconds) before which everything can be read; absent if the server doesn't
    /// say.
    static std::optional<double> visible_before(http::Client& client) {
        Result<http::Response> metrics = client.get("/metrics");
        auto sums = metrics ? sum_by_label(metrics->body, "helios_store_frontier_seconds", "")
                            : std::map<std::string, double>{};
        return sums.empty() ? std::nullopt : std::optional(sums.begin()->second);
    }

    /// Until every sure order is decided and the store shows everything, or the limit has passed.
    void wait_until_decided(double before) {
        Duration start = clock_.monotonic();
        std::optional<double> decided_at;  // Unix seconds
        while (!stop_ && clock_.monotonic() - start <= options_.settle_limit) {
            verdicts_.decided = static_cast<std::uint64_t>(decided(client_) - before);
            verdicts_.all_decided = verdicts_.decided >= verdicts_.orders_sure;
            if (verdicts_.all_decided) {
                decided_at =
                    decided_at.value_or(static_cast<double>(to_nanos(clock_.wall())) / 1e9);
                std::optional<double> shown = visible_before(client_);
                if (!shown || *shown >= *decided_at) {
                    return;
                }
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
    }

    /// Looks again while what is readable still changes: a server without a frontier only becomes
    /// right in the end.
    BenchVerdicts judge(Duration answered) {
        const BenchVerdicts start = verdicts_;
        Duration changed = clock_.monotonic();
        std::pair<std::uint64_t, std::uint64_t> seen{0, 0};
        for (;;) {
            verdicts_ = start;
            read_exceptions();
            sample();
            Duration now = clock_.monotonic();
            std::pair<std::uint64_t, std::uint64_t> sees{verdicts_.reported,
                                                         verdicts_.sampled_wrong};
            changed = sees == seen ? changed : now;
            seen = sees;
            if (stop_ || verdicts_.right() || !verdicts_.all_decided ||
                now - changed > standstill_max) {
                verdicts_.settling = now - answered;
                return std::move(verdicts_);
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    }

private:
    void complain(std::string text) {
        if (verdicts_.wrong.size() < wrong_shown) {
            verdicts_.wrong.push_back(std::move(text));
        }
    }

    void read_exceptions() {
        std::string cursor;
        while (!stop_) {
            std::string target = "/api/v1/reconciliation/mismatches?limit=1000" +
                                 (cursor.empty() ? "" : "&cursor=" + http::percent_encode(cursor));
            Result<http::Response> response = client_.get(target);
            Result<json::Document> document =
                response && response->status == 200
                    ? json::Document::parse(response->body)
                    : Result<json::Document>(fail(ErrorKind::unavailable, "no list"));
            if (!document) {
                complain(target + (response ? fmt::format(" answered {}", response->status)
                                            : " was not answered"));
                verdicts_.all_decided = false;
                return;
            }
            json::Value items = document->root().find("items");
            for (std::size_t i = 0; i < items.size(); ++i) {
                count_exception(items.at(i));
            }
            json::Value next = document->root().find("nextCursor");
            if (!next.is_string() || next.text().empty()) {
                return;
            }
            cursor = next.text();
        }
    }

    void count_exception(json::Value item) {
        std::uint64_t order = 0;
        if (!text_.order_of(item.find("key").text(), order) || sent_.unsure.contains(order)) {
            return;
        }
        verdicts_.reported += 1;
        if (is_mismatch(options_, order) && item.find("status").text() == "mismatched") {
            verdicts_.labelled_found += 1;
        } else {
            complain(fmt::format("{} is {}, and nothing is wrong with it", item.find("key").text(),
                                 item.find("status").text()));
        }
    }

    /// Evenly spread orders, each asked for; the exception list has told of all labelled ones
    /// already.
    void sample() {
        std::uint64_t wanted =
            options_.verify_max == 0 ? sent_.orders : std::min(options_.verify_max, sent_.orders);
        for (std::uint64_t i = 0; i < wanted && !stop_; ++i) {
            std::uint64_t order = i * sent_.orders / wanted;
            if (sent_.unsure.contains(order)) {
                continue;
            }
            std::string id = text_.order_id(order);
            Result<http::Response> response = client_.get("/api/v1/reconciliation/" + id);
            Result<GotVerdict> verdict =
                response && response->status == 200
                    ? parse_verdict(response->body)
                    : Result<GotVerdict>(fail(ErrorKind::not_found, "no verdict"));
            std::string_view truth = is_mismatch(options_, order) ? "mismatched" : "matched";
            bool right = verdict && verdict->status == truth &&
                         (truth == "matched" ||
                          std::ranges::any_of(verdict->findings, [](const GotFinding& f) {
                              return f.kind == "amount";
                          }));
            verdicts_.sampled += 1;
            if (!right) {
                verdicts_.sampled_wrong += 1;
                complain(fmt::format("{} should be {} and is {}", id, truth,
                                     verdict ? verdict->status : "absent"));
            }
        }
    }

    const BenchOptions& options_;
    const CorpusText& text_;
    const SendTotals& sent_;
    const Clock& clock_;
    const std::atomic<bool>& stop_;
    http::Client client_;
    BenchVerdicts verdicts_;
};

/// To the microsecond: more digits would be noise.
double rounded(double value) {
    return std::round(value * 1e3) / 1e3;
}

void write_latency(json::Writer& w, std::string_view name, const Histogram& histogram) {
    w.key(name).begin_object();
    for (auto [label, p] :
         {std::pair{"p50", 50.0}, {"p90", 90.0}, {"p99", 99.0}, {"p99.9", 99.9}}) {
        w.key(label).real(rounded(in_seconds(histogram.percentile(p)) * 1e3));
    }
    w.key("max")
        .real(rounded(in_seconds(histogram.max()) * 1e3))
        .key("mean")
        .real(rounded(in_seconds(histogram.mean()) * 1e3))
        .end_object();
}

double per_million(double cpu_seconds, std::uint64_t events) {
    return cpu_seconds < 0 || events == 0 ? -1 : cpu_seconds * 1e6 / static_cast<double>(events);
}

void write_seconds(json::Writer& w, std::string_view name, double seconds) {
    w.key(name);
    seconds < 0 ? w.null() : w.real(rounded(seconds));
}

void write_options(json::Writer& w, const BenchOptions& o) {
    w.key("options")
        .begin_object()
        .field("mode", name_of(o.mode))
        .field("eventsPerRequest",
               std::uint64_t{o.mode == BenchOptions::Mode::single ? 1 : o.batch});
    w.field("connections", std::uint64_t{o.connections})
        .field("pipeline", std::uint64_t{o.pipeline_max})
        .field("rate", o.rate);
    w.key("duration")
        .real(in_seconds(o.duration))
        .field("seed", o.seed)
        .field("duplicatesPerThousand", std::uint64_t{o.duplicates_per_thousand});
    w.field("latePerThousand", std::uint64_t{o.late_per_thousand})
        .field("mismatchesPerThousand", std::uint64_t{o.mismatches_per_thousand})
        .end_object();
}

void print(std::ostream& out, const BenchResult& r) {
    const SendTotals& s = r.sent;
    const BenchVerdicts& v = r.verdicts;
    auto line = [&](const std::string& text) { out << text << '\n'; };
    line(fmt::format("sent         {} events of {} orders in {} requests, {} of them repeats",
                     s.events, s.orders, s.requests, s.repeats));
    line(fmt::format(
        "rate         {:.0f} events/s acknowledged ({} asked for), {:.2f} s to the last answer",
        s.events_per_second(), r.options.rate, in_seconds(s.answering)));
    line(fmt::format("latency      p50 {}  p99 {}  p99.9 {}  max {}  (from the intended send time)",
                     in_ms(s.latency.percentile(50)), in_ms(s.latency.percentile(99)),
                     in_ms(s.latency.percentile(99.9)), in_ms(s.latency.max())));
    line(fmt::format(
        "sender lag   p50 {}  p99 {}  (this generator's own lateness, and full pipelines)",
        in_ms(s.lag.percentile(50)), in_ms(s.lag.percentile(99))));
    std::string errors =
        s.errors() == 0 && s.batch_failed == 0
            ? "none"
            : fmt::format("{} requests, {} events inside batches", s.errors(), s.batch_failed);
    for (const auto& [status, n] : s.refused) {
        errors +=
            status == 0 ? fmt::format("; no answer: {}", n) : fmt::format("; {}: {}", status, n);
    }
    line("errors       " + errors);
    if (r.server_cpu_total >= 0) {
        line(
            fmt::format("server CPU   {:.2f} s while sending, {:.2f} s until all was decided: "
                        "{:.1f} s per million events (client {:.2f} s)",
                        r.server_cpu_sending, r.server_cpu_total,
                        per_million(r.server_cpu_total, s.events_ok), r.client_cpu));
    }
    line(
        fmt::format("verdicts     {} of {} orders decided, all read and judged {:.2f} s after the "
                    "last answer; labelled "
                    "mismatches {}, found {}; "
                    "recall {:.4f}, precision {:.4f}",
                    v.decided, v.orders_sure, in_seconds(v.settling), v.labelled, v.labelled_found,
                    v.recall(), v.precision()));
    line(fmt::format("sample       {} orders asked for, {} wrong", v.sampled, v.sampled_wrong));
    for (const std::string& text : v.wrong) {
        line("  " + text);
    }
    if (!v.right()) {
        line(
            "VOID: the verdicts are not what the labels say, so the figures above count for "
            "nothing.");
    }
}

bool good(const BenchResult& r) {
    return r.verdicts.right() && r.sent.errors() == 0 && r.sent.batch_failed == 0;
}

}  // namespace

std::string to_json(const BenchResult& r) {
    const SendTotals& s = r.sent;
    const BenchVerdicts& v = r.verdicts;
    json::Writer w;
    w.begin_object()
        .field("what", "helios bench")
        .field("at", format_rfc3339(r.at))
        .field("command", r.options.command)
        .field("cores", std::uint64_t{r.cores});
    write_options(w, r.options);
    w.field("void", !v.right())
        .field("events", s.events)
        .field("orders", s.orders)
        .field("repeats", s.repeats)
        .field("requests", s.requests);
    w.field("requestsOk", s.requests_ok)
        .field("eventsAcknowledged", s.events_ok)
        .field("errors", s.errors())
        .key("refused")
        .begin_object();
    for (const auto& [status, n] : s.refused) {
        w.field(std::to_string(status), n);
    }
    w.end_object()
        .field("batchAccepted", s.batch_accepted)
        .field("batchDuplicate", s.batch_duplicate)
        .field("batchFailed", s.batch_failed);
    w.key("eventsPerSecond")
        .real(std::round(s.events_per_second()))
        .key("secondsSending")
        .real(rounded(in_seconds(s.sending)));
    w.key("secondsAnswering").real(rounded(in_seconds(s.answering)));
    write_latency(w, "latencyMs", s.latency);
    write_latency(w, "generatorLagMs", s.lag);
    write_seconds(w, "serverCpuSecondsSending", r.server_cpu_sending);
    write_seconds(w, "serverCpuSecondsTotal", r.server_cpu_total);
    write_seconds(w, "serverCpuSecondsPerMillionEvents",
                  per_million(r.server_cpu_total, s.events_ok));
    write_seconds(w, "clientCpuSeconds", r.client_cpu);
    w.key("verdicts")
        .begin_object()
        .field("ordersSure", v.orders_sure)
        .field("decided", v.decided)
        .field("allDecided", v.all_decided);
    w.key("secondsSettling")
        .real(rounded(in_seconds(v.settling)))
        .field("labelled", v.labelled)
        .field("labelledFound", v.labelled_found)
        .field("reported", v.reported);
    w.key("recall")
        .real(v.recall())
        .key("precision")
        .real(v.precision())
        .field("sampled", v.sampled)
        .field("sampledWrong", v.sampled_wrong)
        .end_object();
    w.end_object();
    return w.take() + "\n";
}

int run_bench(const BenchOptions& options, const Clock& clock, std::ostream& out,
              const std::atomic<bool>& stop) {
    auto refuse = [&](const Error& error) {
        out << "helios bench: " << error.message() << '\n';
        return 2;
    };
    if (Status status = options.validate(); !status) {
        return refuse(status.error());
    }
    Result<http::Url> url = http::Url::parse(options.base_url);
    if (!url) {
        return refuse(url.error());
    }
    if (!is_loopback(url->host)) {
        return refuse({ErrorKind::invalid, fmt::format("{} is not this machine", url->host),
                       "the load generator only talks to loopback addresses"});
    }
    http::Client client(*url, std::chrono::seconds(30), options.ca_file);
    if (Result<http::Response> ready = client.get("/ready"); !ready || ready->status != 200) {
        return refuse(ready ? Error{ErrorKind::unavailable,
                                    fmt::format("{} is not ready: it answered {}", options.base_url,
                                                ready->status),
                                    ""}
                            : ready.error());
    }
    BenchResult result;
    result.options = options;
    result.at = clock.wall();
    result.cores = cores();
    CorpusText text(result.options, clock.wall());
    double before = Judge::decided(client);
    double own = own_process_seconds();
    std::optional<double> server =
        options.server_pid > 0 ? process_seconds(options.server_pid) : std::nullopt;
    auto server_since = [&] {
        std::optional<double> now = server ? process_seconds(options.server_pid) : std::nullopt;
        return now ? *now - *server : -1.0;
    };
    Result<SendTotals> sent = send_corpus(result.options, *url, text, clock, stop);
    if (!sent) {
        return refuse(sent.error());
    }
    result.sent = *std::move(sent);
    result.client_cpu = own_process_seconds() - own;
    result.server_cpu_sending = server_since();
    if (result.sent.stopped) {
        return refuse({ErrorKind::stopping,
                       fmt::format("ended after {} events, {} of them acknowledged",
                                   result.sent.events, result.sent.events_ok),
                       ""});
    }
    Duration answered = clock.monotonic();
    Judge judge(result.options, *url, text, result.sent, clock, stop);
    judge.wait_until_decided(before);
    result.server_cpu_total = server_since();
    result.verdicts = judge.judge(answered);
    print(out, result);
    out.flush();
    if (!options.result_file.empty()) {
        std::ofstream file(options.result_file, std::ios::trunc);
        if (!(file << to_json(result) << std::flush)) {
            return refuse({ErrorKind::unavailable, "can't write " + options.result_file, ""});
        }
    }
    return good(result) ? 0 : 1;
}

}  // namespace helios::lab
