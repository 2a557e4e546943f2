#include "lab/demo.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <thread>

#include "base/json.h"
#include "base/terminal.h"
#include "http/client.h"
#include "lab/demo_send.h"
#include "lab/fault_plan.h"
#include "lab/metrics_text.h"
#include "lab/scoreboard.h"

namespace helios::lab {
namespace {

using std::chrono::milliseconds;

constexpr Duration metrics_every = milliseconds(500);
constexpr Duration ready_limit = std::chrono::seconds(15);
constexpr Duration plain_line_every = std::chrono::seconds(4);

/// One run. Lives as long as run_demo.
class Demo {
public:
    Demo(const DemoOptions& options, const http::Url& url, const Clock& clock, std::ostream& out,
         const std::atomic<bool>& stop)
        : options_(options),
          url_(url),
          clock_(clock),
          stop_(stop),
          terminal_(out, options.screen),
          client_(url.host, url.port) {}

    int run() {
        if (!wait_until_ready()) {
            return 2;
        }
        PlanOptions plan_options;
        plan_options.seed = options_.seed;
        plan_options.orders = options_.orders;
        plan_options.start = clock_.wall();
        plan_options.send_for = options_.send_for;
        plan_options.late_by = options_.late_by;
        plan_ = make_plan(plan_options);
        introduce();
        ShopSender sender(plan_, options_, url_, clock_, stop_);
        started_ = clock_.monotonic();
        sender.start();
        if (!follow(sender)) {
            terminal_.line(
                fmt::format("Stopped after {} of {} events.", sender.delivered(), plan_.events()));
            return 2;
        }
        sender.finish();
        collect(sender);
        if (stop_) {
            terminal_.line("Stopped before the verdicts were read.");
            return 2;
        }
        return report(sender);
    }

private:
    /// A server that has just been started may still be catching up.
    bool wait_until_ready() {
        Duration limit = clock_.monotonic() + ready_limit;
        for (;;) {
            Result<http::Response> ready = client_.get("/ready");
            if (ready && ready->status == 200) {
                return true;
            }
            if (!ready || stop_ || clock_.monotonic() > limit) {
                std::string why = ready
                                      ? fmt::format("it answered {} {}", ready->status, ready->body)
                                      : ready.error().message();
                terminal_.line(
                    fmt::format("helios demo: {} is not ready: {}", options_.base_url, why));
                return false;
            }
            std::this_thread::sleep_for(milliseconds(50));
        }
    }

    void introduce() {
        terminal_.line();
        terminal_.paragraph(terminal_.tint(
            Tint::bold, "  Helios demo: one shop, three clouds, one verdict per order"));
        terminal_.paragraph(
            fmt::format("  {} orders in {}, seed {}, {} of them faulty; {} events to {}",
                        options_.orders, format_duration(options_.send_for), options_.seed,
                        std::ranges::count_if(plan_.orders,
                                              [](const auto& o) { return o.fault != Fault::none; }),
                        plan_.events(), options_.base_url));
        terminal_.paragraph("    aws    OrderPlaced        EventBridge, some of it through SNS");
        terminal_.paragraph("    gcp    PaymentProcessed   Pub/Sub push");
        terminal_.paragraph("    azure  InventoryReserved  Event Grid, in batches");
        terminal_.paragraph(
            fmt::format("  Deadlines are {} here, for a short demo; the shipped flow has 60s.",
                        format_duration(options_.deadline)));
        terminal_.line();
    }

    /// Shows progress until all is sent and every deadline has passed. False: stopped.
    bool follow(const ShopSender& sender) {
        std::optional<Duration> sent_at;
        Duration shown = Duration::min() / 2;
        Duration shown_every = terminal_.screen().rewrites ? metrics_every : plain_line_every;
        while (!stop_) {
            Duration now = clock_.monotonic();
            if (!sent_at && sender.done()) {
                sent_at = now;
            }
            if (sent_at && now - *sent_at > options_.deadline + milliseconds(500)) {
                terminal_.progress(progress_line(sender, now - started_, true));
                terminal_.line();
                return true;
            }
            if (now - shown >= shown_every) {
                terminal_.progress(progress_line(sender, now - started_, sent_at.has_value()));
                shown = now;
            }
            std::this_thread::sleep_for(milliseconds(100));
        }
        return false;
    }

    std::string progress_line(const ShopSender& sender, Duration elapsed, bool all_sent) {
        std::map<std::string, double> statuses;
        if (Result<http::Response> metrics = client_.get("/metrics");
            metrics && metrics->status == 200) {
            statuses = sum_by_label(metrics->body, "helios_events_reconciled_total", "status");
        }
        double done = static_cast<double>(sender.delivered()) /
                      static_cast<double>(std::max<std::size_t>(plan_.events(), 1));
        std::string text = fmt::format("  {:>3.0f} s {} {:>4}/{} events",
                                       std::chrono::duration<double>(elapsed).count(),
                                       terminal_.bar(done, 20), sender.delivered(), plan_.events());
        text += fmt::format("   {}", terminal_.tint(Tint::green, fmt::format("{:.0f} matched",
                                                                             statuses["matched"])));
        text += fmt::format("  {}", terminal_.tint(Tint::yellow, fmt::format("{:.0f} partial",
                                                                             statuses["partial"])));
        text += fmt::format("  {}", terminal_.tint(Tint::red, fmt::format("{:.0f} mismatched",
                                                                          statuses["mismatched"])));
        return all_sent ? text + terminal_.tint(Tint::dim, "  waiting for deadlines") : text;
    }

    void collect(const ShopSender& sender) {
        Duration limit = clock_.monotonic() + options_.settle_limit;
        for (std::size_t i = 0; i < plan_.orders.size() && !stop_; ++i) {
            board_.add(plan_.orders[i], settled_verdict(plan_.orders[i], limit),
                       lateness_of(sender.times(i), options_.deadline));
        }
        collect_quarantine();
        collect_exceptions();
    }

    /// The order's verdict; a pending or absent one is asked for again until `limit`.
    std::optional<GotVerdict> settled_verdict(const PlannedOrder& planned, Duration limit) {
        std::optional<GotVerdict> got;
        do {
            Result<http::Response> response =
                client_.get("/api/v1/reconciliation/" + http::percent_encode(planned.order.id));
            if (response && response->status == 200) {
                if (Result<GotVerdict> verdict = parse_verdict(response->body)) {
                    got = *std::move(verdict);
                    if (got->status != "pending") {
                        return got;
                    }
                }
            }
            std::this_thread::sleep_for(milliseconds(100));
        } while (clock_.monotonic() < limit && !stop_);
        return got;
    }

    /// Calls `item` for each element of a paged list; false if the list can't be read.
    template <class F>
    bool each_item(std::string_view path, F item) {
        std::string cursor;
        for (int page = 0; page < 1000 && !stop_; ++page) {
            std::string target =
                fmt::format("{}?limit=100{}{}", path,
                            cursor.empty() ? "" : "&cursor=", http::percent_encode(cursor));
            Result<http::Response> response = client_.get(target);
            if (!response || response->status != 200) {
                complaints_.push_back(fmt::format("{} {}", target,
                                                  response
                                                      ? fmt::format("answered {}", response->status)
                                                      : response.error().message()));
                return false;
            }
            Result<json::Document> document = json::Document::parse(response->body);
            json::Value items = document ? document->root().find("items") : json::Value{};
            if (!items.is_array()) {
                complaints_.push_back(fmt::format("{} answered no list of items", target));
                return false;
            }
            for (std::size_t i = 0; i < items.size(); ++i) {
                item(items.at(i));
            }
            json::Value next = document->root().find("nextCursor");
            if (!next.is_string() || next.text().empty()) {
                return true;
            }
            cursor = next.text();
        }
        return !stop_;
    }

    void collect_quarantine() {
        std::set<std::string, std::less<>> expected;
        for (const PlannedOrder& order : plan_.orders) {
            for (const PlannedEvent& event : order.events) {
                if (!event.reaches_case) {
                    expected.insert(event.fact.event_id);
                }
            }
        }
        board_.quarantined_expected = expected.size();
        each_item("/api/v1/dlq", [&](json::Value item) {
            auto it = expected.find(item.find("eventId").text());
            if (it == expected.end()) {
                board_.quarantined_unexpected += 1;
            } else {
                board_.quarantined_found += 1;
                expected.erase(it);
            }
        });
    }

    /// The list people work from must name exactly the orders that are partial or mismatched.
    void collect_exceptions() {
        std::set<std::string, std::less<>> expected;
        for (const PlannedOrder& order : plan_.orders) {
            if (order.truth.status != "matched") {
                expected.insert(order.order.id);
            }
        }
        exceptions_expected_ = expected.size();
        each_item("/api/v1/reconciliation/mismatches", [&](json::Value item) {
            exceptions_listed_ += 1;
            if (auto it = expected.find(item.find("key").text()); it != expected.end()) {
                expected.erase(it);
            } else {
                exceptions_wrong_.push_back(
                    fmt::format("{} is listed and should not be", item.find("key").text()));
            }
        });
        for (const std::string& id : expected) {
            exceptions_wrong_.push_back(fmt::format("{} is not listed and should be", id));
        }
    }

    int report(const ShopSender& sender) {
        print_scoreboard(terminal_, board_, options_);
        bool list_good = exceptions_wrong_.empty();
        terminal_.paragraph(fmt::format(
            "  {} exception list  {} orders expected, {} listed",
            list_good ? terminal_.tint(Tint::green, "✓") : terminal_.tint(Tint::red, "✗"),
            exceptions_expected_, exceptions_listed_));
        print_times(terminal_, sender.times_to_verdict());
        terminal_.line();
        std::vector<std::string> refused = sender.refused();
        for (const std::vector<std::string>* list : {&refused, &complaints_, &exceptions_wrong_}) {
            for (std::size_t i = 0; i < std::min<std::size_t>(list->size(), 20); ++i) {
                terminal_.paragraph(
                    fmt::format("  {} {}", terminal_.tint(Tint::red, "✗"), (*list)[i]));
            }
        }
        print_wrong(terminal_, board_);
        explain_one();
        go_on();
        bool good = board_.perfect() && refused.empty() && complaints_.empty() && list_good;
        ScoreRow total = board_.total();
        std::string sum =
            fmt::format("{} orders, missed {}, false alarms {}, in {:.0f} s", total.injected,
                        total.missed + board_.lateness.missed,
                        total.false_alarms + board_.lateness.false_alarms,
                        std::chrono::duration<double>(clock_.monotonic() - started_).count());
        terminal_.paragraph(good ? terminal_.tint(Tint::green, "  ✓ " + sum)
                                 : terminal_.tint(Tint::red, "  ✗ " + sum));
        return good ? 0 : 1;
    }

    const PlannedOrder* example() const {
        auto it = std::ranges::find(plan_.orders, Fault::wrong_amount, &PlannedOrder::fault);
        return it == plan_.orders.end() ? nullptr : &*it;
    }

    void explain_one() {
        const PlannedOrder* order = example();
        if (!order) {
            return;
        }
        constexpr std::size_t indent = 4;
        const std::size_t columns = terminal_.screen().columns;
        std::string target = fmt::format(
            "/api/v1/orders/{}/explain?format=text{}", http::percent_encode(order->order.id),
            columns > indent ? fmt::format("&columns={}", columns - indent) : "");
        Result<http::Response> response = client_.get(target);
        terminal_.line(terminal_.tint(Tint::bold, "  One of them, explained"));
        terminal_.line();
        if (!response || response->status != 200) {
            complaints_.push_back(fmt::format("{} {}", target,
                                              response
                                                  ? fmt::format("answered {}", response->status)
                                                  : response.error().message()));
            terminal_.paragraph("  " + terminal_.tint(Tint::red, complaints_.back()));
        } else {
            std::string_view rest = response->body;
            while (!rest.empty()) {
                std::size_t end = std::min(rest.find('\n'), rest.size());
                terminal_.paragraph(std::string(indent, ' ') + std::string(rest.substr(0, end)), 4);
                rest.remove_prefix(std::min(rest.size(), end + 1));
            }
        }
        terminal_.line();
    }

    void go_on() {
        if (!options_.keep) {  // addresses of a server that is about to end would only mislead
            terminal_.paragraph(
                "  With `helios demo --keep` the server stays up, and you can go on by hand.");
            terminal_.line();
            return;
        }
        std::string id = example() ? example()->order.id : plan_.orders.front().order.id;
        terminal_.line(
            terminal_.tint(Tint::bold, "  The server stays up (Ctrl-C ends it). Go on by hand:"));
        for (const std::string& path :
             {"/api/v1/reconciliation/" + id, "/api/v1/orders/" + id + "/explain?format=text",
              std::string("/api/v1/reconciliation/mismatches?kind=duplicate&limit=5"),
              std::string("/api/v1/reconciliation/stats"), std::string("/api/v1/dlq?limit=5")}) {
            terminal_.line(
                fmt::format("    curl -s '{}{}'", options_.base_url, path));  // whole: to be copied
        }
        terminal_.line();
    }

    const DemoOptions& options_;
    const http::Url& url_;
    const Clock& clock_;
    const std::atomic<bool>& stop_;
    Terminal terminal_;
    http::Client client_;
    FaultPlan plan_;
    Scoreboard board_;
    Duration started_{};
    std::size_t exceptions_expected_ = 0;
    std::size_t exceptions_listed_ = 0;
    std::vector<std::string> exceptions_wrong_;
    std::vector<std::string> complaints_;
};

}  // namespace

int run_demo(const DemoOptions& options, const Clock& clock, std::ostream& out,
             const std::atomic<bool>& stop) {
    if (Status good = options.validate(); !good) {
        out << "helios demo: " << good.error().message() << '\n';
        return 2;
    }
    Result<http::Url> url = http::Url::parse(options.base_url);
    if (!url) {
        out << "helios demo: " << url.error().message() << '\n';
        return 2;
    }
    return Demo(options, *url, clock, out, stop).run();
}

std::string with_deadlines(std::string_view flow_text, Duration deadline) {
    constexpr std::string_view name = "deadline:";
    std::string out;
    while (!flow_text.empty()) {
        std::size_t end = std::min(flow_text.find('\n'), flow_text.size());
        std::string_view line = flow_text.substr(0, end);
        std::size_t at = line.find(name);
        // Only a key, not a word of a comment.
        if (at != std::string_view::npos &&
            line.substr(0, at).find('#') == std::string_view::npos) {
            std::size_t value = line.find_first_not_of(' ', at + name.size());
            std::size_t after =
                value == std::string_view::npos ? line.size() : line.find_first_of(" ,}\r", value);
            out.append(line.substr(0, at + name.size()))
                .append(" ")
                .append(format_duration(deadline));
            out.append(after == std::string_view::npos ? std::string_view{} : line.substr(after));
        } else {
            out.append(line);
        }
        bool more = end < flow_text.size();
        out.append(more ? "\n" : "");
        flow_text.remove_prefix(std::min(flow_text.size(), end + 1));
    }
    return out;
}

}  // namespace helios::lab
