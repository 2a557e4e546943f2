#include "lab/bench.h"

#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>

#include "base/json.h"
#include "base/mutex.h"
#include "lab/corpus.h"
#include "lab/fake_helios.h"
#include "lab/metrics_text.h"
#include "lab/process_time.h"

namespace helios::lab {
namespace {

BenchOptions small_bench(const std::string& url, BenchOptions::Mode mode) {
    BenchOptions options;
    options.base_url = url;
    options.mode = mode;
    options.batch = mode == BenchOptions::Mode::single ? 1 : 50;
    options.connections = 4;
    options.pipeline_max = 4;
    options.rate = 3000;
    options.duration = std::chrono::milliseconds(400);
    options.mismatches_per_thousand = 30;
    options.late_by = std::chrono::milliseconds(50);
    options.settle_limit = std::chrono::seconds(2);
    options.verify_max = 50;
    return options;
}

/// Notes which orders were sent, and answers by the labels: a run's keys become known by being
/// asked for.
class LabelledHelios : public FakeHelios {
public:
    explicit LabelledHelios(const BenchOptions& options) : options_(options) {
        on_post = [this](const http::Request& request) {
            MutexLock lock(mutex_);
            note(request.body);
            if (request.path != "/api/v1/events/batch") {
                return http::Response::empty(204);
            }
            auto document = json::Document::parse(request.body);
            return http::Response::json(
                200, R"({"accepted":)" + std::to_string(document->root().size()) +
                         R"(,"duplicate":0,"conflict":0,"quarantined":0,"failed":0,"items":[]})");
        };
        metrics = [this] {
            MutexLock lock(mutex_);
            return "helios_events_reconciled_total{status=\"matched\"} " +
                   std::to_string(orders_.size()) + "\n";
        };
        exceptions = [this] {
            MutexLock lock(mutex_);
            std::vector<std::string> items;
            for (const std::string& id : orders_) {
                if (wrong(id)) {
                    items.push_back(verdict_json(id, "mismatched", {}, {"amount"}, ""));
                }
            }
            return items;
        };
        verdict = [this](const std::string& id) {
            return std::optional(wrong(id) ? verdict_json(id, "mismatched", {}, {"amount"}, "")
                                           : verdict_json(id, "matched", {}, {}, ""));
        };
    }
    std::function<bool(std::uint64_t)> blind_to = [](std::uint64_t) { return false; };

private:
    bool wrong(const std::string& id) const {
        std::uint64_t n = std::stoull(id.substr(id.rfind('-') + 1));
        return is_mismatch(options_, n) && !blind_to(n);
    }
    void note(std::string_view
                  body) {  // orders stand in the clear in EventBridge envelopes and event lines
        for (std::size_t at = body.find("\"B"); at != std::string_view::npos;
             at = body.find("\"B", at + 1)) {
            std::string_view id = body.substr(at + 1, body.find('"', at + 1) - at - 1);
            if (id.size() == 25) {
                orders_.insert(std::string(id));
            }
        }
    }
    const BenchOptions& options_;
    Mutex mutex_;
    std::set<std::string> orders_;
};

class BenchModes : public testing::TestWithParam<BenchOptions::Mode> {};

TEST_P(BenchModes, sends_everything_and_judges_it) {
    BenchOptions options = small_bench({}, GetParam());
    LabelledHelios server(options);
    server.start();
    options.base_url = server.url();
    options.result_file =
        testing::TempDir() + "/bench_" + std::to_string(static_cast<int>(GetParam())) + ".json";
    std::atomic<bool> stop{false};
    std::ostringstream out;
    EXPECT_EQ(run_bench(options, SystemClock{}, out, stop), 0) << out.str();
    std::ifstream file(options.result_file);
    auto document = json::Document::parse(std::string((std::istreambuf_iterator<char>(file)), {}));
    ASSERT_TRUE(document);
    json::Value root = document->root();
    EXPECT_EQ(root.find("void").text(), "false");
    EXPECT_EQ(root.find("eventsAcknowledged").text(), root.find("events").text());
    EXPECT_EQ(root.find("requests").text(), std::to_string(server.posts));
    EXPECT_EQ(root.find("orders").text(), std::to_string(orders_for(options)));
    EXPECT_NE(root.find("verdicts").find("labelled").text(), "0");
    EXPECT_EQ(root.find("verdicts").find("recall").text(), "1") << root.raw();
}

INSTANTIATE_TEST_SUITE_P(All, BenchModes,
                         testing::Values(BenchOptions::Mode::single, BenchOptions::Mode::grid,
                                         BenchOptions::Mode::direct));

TEST(Bench, a_missed_label_makes_the_figure_void) {
    BenchOptions options = small_bench({}, BenchOptions::Mode::direct);
    LabelledHelios server(options);
    std::uint64_t first = 0;
    while (!is_mismatch(options, first)) {
        ++first;
    }
    server.blind_to = [first](std::uint64_t n) { return n == first; };
    server.start();
    options.base_url = server.url();
    std::atomic<bool> stop{false};
    std::ostringstream out;
    EXPECT_EQ(run_bench(options, SystemClock{}, out, stop), 1);
    EXPECT_NE(out.str().find("VOID"), std::string::npos) << out.str();
}

TEST(Bench, refused_requests_are_errors_and_their_orders_are_not_judged) {
    BenchOptions options = small_bench({}, BenchOptions::Mode::single);
    LabelledHelios server(options);
    auto accept = server.on_post;
    std::atomic<int> n{0};
    server.on_post = [&](const http::Request& request) {
        return ++n % 100 == 0 ? http::problem(503, "busy", "later") : accept(request);
    };
    server.start();
    options.base_url = server.url();
    std::atomic<bool> stop{false};
    std::ostringstream out;
    EXPECT_EQ(run_bench(options, SystemClock{}, out, stop), 1);
    EXPECT_NE(out.str().find("; 503: "), std::string::npos) << out.str();
    EXPECT_EQ(out.str().find("VOID"), std::string::npos) << out.str();
}

TEST(Bench, connections_that_break_are_counted_not_retried) {
    BenchOptions options = small_bench({}, BenchOptions::Mode::single);
    LabelledHelios server(options);
    auto accept = server.on_post;
    std::atomic<int> n{0};
    server.on_post = [&](const http::Request& request) {
        http::Response response = accept(request);
        response.close = ++n % 200 == 0;
        return response;
    };
    server.start();
    options.base_url = server.url();
    SystemClock clock;
    auto url = http::Url::parse(options.base_url);
    CorpusText text(options, clock.wall());
    std::atomic<bool> stop{false};
    auto sent = send_corpus(options, *url, text, clock, stop);
    ASSERT_TRUE(sent);
    EXPECT_GT(sent->broken_connections, 0u);
    EXPECT_EQ(sent->requests_ok + sent->errors(), sent->requests);
    EXPECT_FALSE(sent->stopped) << "it went on with new connections";
}

TEST(Bench, only_loopback) {
    for (const char* good : {"localhost", "127.0.0.1", "127.3.4.5", "::1"}) {
        EXPECT_TRUE(is_loopback(good)) << good;
    }
    for (const char* bad : {"example.com", "10.0.0.1", "0.0.0.0", "127.0.0.1.example.com", ""}) {
        EXPECT_FALSE(is_loopback(bad)) << bad;
    }
    BenchOptions options = small_bench("http://192.0.2.1:80", BenchOptions::Mode::single);
    std::atomic<bool> stop{false};
    std::ostringstream out;
    EXPECT_EQ(run_bench(options, SystemClock{}, out, stop), 2);
    EXPECT_NE(out.str().find("is not this machine"), std::string::npos);
}

TEST(MetricsText, sums_by_label) {
    std::string text =
        "# HELP x y\nx{status=\"matched\",a=\"b\"} 3\nx{a=\"c\",status=\"matched\"} "
        "4\nx{status=\"partial\"} "
        "1e1\nxy{status=\"matched\"} 100\nx 5\n";
    auto sums = sum_by_label(text, "x", "status");
    EXPECT_EQ(sums, (std::map<std::string, double>{{"", 5}, {"matched", 7}, {"partial", 10}}));
    EXPECT_TRUE(sum_by_label("", "x", "status").empty());
}

TEST(ProcessTime, reads_proc_stat_of_any_name) {
    EXPECT_DOUBLE_EQ(*seconds_in_stat("42 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20", 100),
                     3.0);
    EXPECT_FALSE(seconds_in_stat("", 100));
    EXPECT_FALSE(seconds_in_stat("42 (a) S 1 2", 100));
    EXPECT_TRUE(process_seconds(1).has_value());
    EXPECT_FALSE(process_seconds(-1));
}

}  // namespace
}  // namespace helios::lab
