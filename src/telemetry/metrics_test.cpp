#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "telemetry/telemetry.h"

namespace helios::telemetry {
namespace {

using ::testing::HasSubstr;

TEST(Metrics, same_name_and_labels_are_the_same_object) {
    Metrics metrics;
    Counter& a = metrics.counter("helios_test_total", "Tests.", {{"source", "aws"}, {"kind", "x"}});
    Counter& b = metrics.counter("helios_test_total", "Tests.", {{"kind", "x"}, {"source", "aws"}});
    Counter& other =
        metrics.counter("helios_test_total", "Tests.", {{"kind", "x"}, {"source", "gcp"}});
    EXPECT_EQ(&a, &b);
    EXPECT_NE(&a, &other);
    a.add();
    b.add(2);
    EXPECT_EQ(a.value(), 3);
    EXPECT_EQ(other.value(), 0);
    Histogram& h = metrics.histogram("helios_test_seconds", "Durations.", {0.1, 1});
    EXPECT_EQ(&h, &metrics.histogram("helios_test_seconds", "Durations.", {0.1, 1}));
}

TEST(Metrics, exposes_prometheus_text) {
    Metrics metrics;
    metrics
        .counter("helios_events_ingested_total", "Events taken in.",
                 {{"source", "aws"}, {"event_type", "OrderPlaced"}})
        .add(5);
    Gauge& gauge = metrics.gauge("helios_queue_items", "What waits.");
    gauge.set(7);
    gauge.add(-2.5);
    EXPECT_EQ(gauge.value(), 4.5);
    Histogram& h = metrics.histogram("helios_wait_seconds", "Waiting.", {0.5, 1});
    h.observe(0.25);
    h.observe(0.75);
    h.observe(5);
    const std::string text = metrics.expose();
    EXPECT_THAT(text, HasSubstr("# HELP helios_events_ingested_total Events taken in.\n# TYPE "
                                "helios_events_ingested_total counter\n"));
    EXPECT_THAT(
        text,
        HasSubstr("helios_events_ingested_total{event_type=\"OrderPlaced\",source=\"aws\"} 5\n"));
    EXPECT_THAT(text, HasSubstr("# TYPE helios_queue_items gauge\nhelios_queue_items 4.5\n"));
    EXPECT_THAT(text, HasSubstr("helios_wait_seconds_bucket{le=\"0.5\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("helios_wait_seconds_bucket{le=\"1\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("helios_wait_seconds_bucket{le=\"+Inf\"} 3\n"));
    EXPECT_THAT(text, HasSubstr("helios_wait_seconds_count 3\n"));
    EXPECT_THAT(text, HasSubstr("helios_wait_seconds_sum 6\n"));
    EXPECT_EQ(text.back(), '\n');
}

TEST(Metrics, label_values_cannot_break_the_format) {
    Metrics metrics;
    metrics.counter("helios_odd_total", "Odd.", {{"name", "a\"b\\c\nd"}}).add();
    EXPECT_THAT(metrics.expose(), HasSubstr("helios_odd_total{name=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST(Metrics, counters_never_fall) {
    Metrics metrics;
    Counter& counter = metrics.counter("helios_up_total", "Only up.");
    counter.add(3);
    counter.add(-2);
    EXPECT_EQ(counter.value(), 3);
}

TEST(MetricsDeathTest, names_that_no_one_could_scrape_are_bugs) {
    Metrics metrics;
    metrics.counter("helios_once_total", "Once.");
    EXPECT_DEATH(metrics.gauge("helios_once_total", "Twice."), "two kinds");
    EXPECT_DEATH(metrics.counter("helios-dash", "Dash."), "not a metric name");
    EXPECT_DEATH(metrics.counter("", "Empty."), "not a metric name");
    EXPECT_DEATH(metrics.counter("1st", "Digit."), "not a metric name");
    EXPECT_DEATH(metrics.counter("helios_l_total", "Label.", {{"a-b", "x"}}), "not a label name");
    EXPECT_DEATH(metrics.counter("helios_l_total", "Label.", {{"__a", "x"}}), "not a label name");
    EXPECT_DEATH(metrics.histogram("helios_h", "Order.", {1, 0.5}), "must grow");
}

TEST(Metrics, counts_from_many_threads) {
    Metrics metrics;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            Counter& counter = metrics.counter("helios_threads_total", "Threads.");
            for (int i = 0; i < 1'000; ++i) {
                counter.add();
                if (i % 250 == 0) {
                    EXPECT_THAT(metrics.expose(), HasSubstr("helios_threads_total"));
                }
            }
        });
    }
    for (auto& t : threads) {
        t.join();
    }
    EXPECT_EQ(metrics.counter("helios_threads_total", "Threads.").value(), 4'000);
}

}  // namespace
}  // namespace helios::telemetry
