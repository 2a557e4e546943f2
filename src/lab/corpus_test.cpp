#include "lab/corpus.h"

#include <gtest/gtest.h>
#include <map>
#include <set>

#include "base/hash.h"
#include "base/json.h"
#include "lab/envelope.h"

namespace helios::lab {
namespace {

const Instant start = parse_rfc3339("2026-01-05T10:00:00Z")->at;

TEST(CorpusStream, gives_every_leg_once_and_its_repeats_later) {
    BenchOptions options;
    CorpusStream stream(options, 5000, 3000);
    std::map<std::pair<std::uint64_t, Leg>, int> given;
    std::uint64_t repeats = 0;
    for (CorpusEvent event; stream.next(event);) {
        int& n = given[{event.order, event.leg}];
        EXPECT_EQ(event.repeat, n > 0) << "a repeat follows its first delivery";
        n += 1;
        repeats += event.repeat ? 1 : 0;
    }
    EXPECT_EQ(given.size(), 15000u);
    EXPECT_NEAR(static_cast<double>(repeats), 300, 80) << "2 % of 15000";
}

TEST(CorpusStream, holds_late_legs_back) {
    BenchOptions options;
    CorpusStream stream(options, 5000, 3000);
    std::map<std::uint64_t, std::uint64_t> order_at;
    std::uint64_t at = 0;
    int late = 0;
    for (CorpusEvent event; stream.next(event); ++at) {
        if (event.leg == Leg::order && !event.repeat) {
            order_at[event.order] = at;
        }
        if (event.leg == Leg::inventory && !event.repeat && at < 10'000) {
            bool held = at - order_at[event.order] > 2900;
            EXPECT_EQ(held, is_late(options, event.order)) << event.order;
            late += held ? 1 : 0;
        }
    }
    EXPECT_GT(late, 50);
}

TEST(CorpusStream, labels_have_their_shares) {
    BenchOptions options;
    int wrong = 0;
    for (std::uint64_t n = 0; n < 20'000; ++n) {
        wrong += is_mismatch(options, n) ? 1 : 0;
    }
    EXPECT_NEAR(wrong, 200, 60);
}

json::Document parse(std::string_view text) {
    auto document = json::Document::parse(text);
    EXPECT_TRUE(document.has_value()) << text;
    return *std::move(document);
}

TEST(CorpusText, patches_the_order_number_everywhere_even_inside_base64) {
    BenchOptions options;
    CorpusText text(options, start);
    for (std::uint64_t n : {std::uint64_t{0}, std::uint64_t{7}, std::uint64_t{123'456'789'012}}) {
        for (Leg leg : {Leg::order, Leg::payment, Leg::inventory}) {
            std::string request;
            text.append(request, {n, leg, false}, CorpusText::Form::request);
            EXPECT_EQ(request.find('@'), std::string::npos);
            std::size_t body_at = request.find("\r\n\r\n") + 4;
            EXPECT_NE(request.find("Content-Length: " + std::to_string(request.size() - body_at) +
                                   "\r\n"),
                      std::string::npos);
            auto document = parse(std::string_view(request).substr(body_at));
            json::Value root = document.root();
            std::string payload(leg == Leg::order       ? root.find("detail").raw()
                                : leg == Leg::inventory ? root.at(0).find("data").raw()
                                                        : "");
            if (leg == Leg::payment) {
                ASSERT_TRUE(base64_decode(root.find("message").find("data").text(), payload));
            }
            auto inner = parse(payload);
            json::Value id = inner.root().find("orderId").present() ? inner.root().find("orderId")
                                                                    : inner.root().find("order_id");
            EXPECT_EQ(id.text(), text.order_id(n));
        }
    }
}

TEST(CorpusText, lines_and_grid_events_are_json_with_ids_of_their_own) {
    BenchOptions options;
    CorpusText text(options, start);
    std::set<std::string> ids;
    for (std::uint64_t n = 0; n < 40; ++n) {
        for (Leg leg : {Leg::order, Leg::payment, Leg::inventory}) {
            std::string line;
            text.append(line, {n, leg, false}, CorpusText::Form::line);
            auto document = parse(line);
            EXPECT_EQ(document.root().find("source").text(), to_string(cloud_of(leg)));
            EXPECT_EQ(document.root().find("eventType").text(), event_type_of(leg));
            EXPECT_TRUE(ids.insert(std::string(document.root().find("id").text())).second);
            std::string grid;
            text.append(grid, {n, leg, false}, CorpusText::Form::grid);
            EXPECT_EQ(parse(grid).root().find("id").text(), document.root().find("id").text());
        }
    }
}

TEST(CorpusText, reads_its_own_keys_back) {
    BenchOptions options;
    CorpusText text(options, start);
    std::uint64_t n = 0;
    EXPECT_TRUE(text.order_of(text.order_id(4711), n));
    EXPECT_EQ(n, 4711u);
    EXPECT_FALSE(text.order_of("ORD-10001", n));
    EXPECT_FALSE(
        text.order_of(CorpusText(options, start + std::chrono::seconds(1)).order_id(4711), n))
        << "another run";
}

TEST(CorpusText, only_labelled_payments_are_wrong) {
    BenchOptions options;
    CorpusText text(options, start);
    for (std::uint64_t n = 0; n < 500; ++n) {
        std::string line;
        text.append(line, {n, Leg::payment, false}, CorpusText::Form::line);
        auto document = parse(line);
        Decimal total = make_order(options.seed, n % 16, start).total;
        bool right =
            *Decimal::parse(document.root().find("payload").find("amount").text()) == total;
        EXPECT_EQ(right, !is_mismatch(options, n)) << n;
    }
}

}  // namespace
}  // namespace helios::lab
