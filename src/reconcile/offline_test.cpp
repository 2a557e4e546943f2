#include "reconcile/offline.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <numeric>
#include <random>
#include <set>

#include "model/position.h"
#include "reconcile/activate.h"
#include "reconcile/test_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;

struct Line {
    model::Event event{default_tenant()};
    std::optional<Instant> received;
};

/// A directory of this test's own: tests run side by side.
std::filesystem::path make_root() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "helios-offline-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    return pattern;
}

class OfflineTest : public ::testing::Test {
public:
    ~OfflineTest() override { std::filesystem::remove_all(root_); }

protected:
    std::unique_ptr<OfflineReconcile> open(bool revisions = false,
                                           std::optional<Instant> as_of = {}) {
        OfflineOptions options;
        options.scratch = root_.string();
        options.revisions = revisions;
        options.as_of = as_of;
        auto opened = OfflineReconcile::open(options, {});
        EXPECT_TRUE(opened) << opened.error().message();
        return std::move(*opened);
    }
    std::vector<std::string> run(const std::vector<Line>& lines, bool revisions = false,
                                 std::optional<Instant> as_of = {}) {
        const auto offline = open(revisions, as_of);
        for (const Line& line : lines) {
            const auto added = offline->add(line.event, line.received, "");
            EXPECT_TRUE(added) << added.error().message();
        }
        std::vector<std::string> out;
        EXPECT_TRUE(offline->close(ignore));
        const auto summary = offline->finish([&](const model::Verdict& v) {
            std::string text = v.key + " " + std::string(model::to_string(v.status));
            for (const auto& f : v.findings) {
                text += " " + std::string(model::to_string(f.kind)) + ":" + f.leg;
            }
            out.push_back(std::move(text));
        });
        EXPECT_TRUE(summary) << summary.error().message();
        return out;
    }

    static model::Event order(const std::string& key, std::optional<Instant> t) {
        return event("aws", "OrderPlaced", "o-" + key, R"({"orderId":")" + key + R"(","total":5})",
                     t);
    }
    static model::Event payment(const std::string& key, std::optional<Instant> t) {
        return event("gcp", "PaymentProcessed", "p-" + key,
                     R"({"orderId":")" + key + R"(","amount":5})", t);
    }
    static model::Event stock(const std::string& key, std::optional<Instant> t) {
        return event("azure", "InventoryReserved", "i-" + key, R"({"orderId":")" + key + R"("})",
                     t);
    }

    static void ignore(std::string_view, std::string_view) {}

    std::filesystem::path root_ = make_root();
};

using V = std::vector<std::string>;

/// Verdicts, conflicts and counts of one run, as bytes.
std::string all_of(OfflineReconcile& offline) {
    std::string out;
    EXPECT_TRUE(offline.close([&](std::string_view origin, std::string_view why) {
        out.append(origin).append(why).push_back('\n');
    }));
    const auto summary = offline.finish(
        [](const model::Verdict& v, std::string& text) { text += model::encode(v) + '\n'; },
        [&](std::string_view text) { out += text; });
    EXPECT_TRUE(summary);
    for (const auto count :
         {summary->events, summary->duplicates, summary->unwanted, summary->keyless, summary->cases,
          summary->pending, summary->matched, summary->partial, summary->mismatched}) {
        out += std::to_string(count) + ' ';
    }
    return out;
}

/// Orders in disorder: some legs missing, late, sent twice, with other content, of no flow.
std::vector<Line> many_lines(bool received) {
    std::mt19937 random(7);
    const auto below = [&](std::size_t n) { return static_cast<std::int64_t>(random() % n); };
    std::vector<Line> lines;
    for (int i = 0; i < 300; ++i) {
        const auto key = std::to_string(i * 7919 % 307);
        const auto add = [&](const char* source, const char* type, std::string payload) {
            const auto at = noon(static_cast<double>(i + below(90)));
            auto one = event(source, type, std::string(type) + std::to_string(i),
                             R"({"orderId":")" + key + payload, at);
            for (auto copies = below(8) == 0 ? 2 : 1; copies > 0 && below(12) != 0; --copies) {
                lines.push_back({one, received ? std::optional(at + std::chrono::seconds(below(9)))
                                               : std::nullopt});
                if (below(3) == 0) {
                    one.payload.insert(1, R"("again":1,)");
                }
            }
        };
        add("aws", "OrderPlaced", R"(","total":5})");
        add("gcp", "PaymentProcessed", below(9) == 0 ? R"(","amount":6})" : R"(","amount":5})");
        add("azure", "InventoryReserved", R"("})");
        add("aws", "Else", R"("})");
    }
    std::shuffle(lines.begin(), lines.end(), random);
    return lines;
}

TEST_F(OfflineTest, neither_how_much_memory_there_is_nor_what_is_read_again_changes_a_byte) {
    for (const bool received : {false, true}) {
        const auto lines = many_lines(received);
        std::set<std::string> outcomes;
        for (const std::size_t memory :
             {std::size_t{6} << 10, std::size_t{1} << 20, std::size_t{192} << 20}) {
            for (const bool late_flow : {false, true}) {
                OfflineOptions options;
                options.scratch = root_.string();
                options.revisions = true;
                options.memory_bytes = memory;
                options.chunk_bytes = memory / 12;
                options.again = [&](std::string_view origin) -> Result<std::string> {
                    return model::encode(
                        lines[std::stoul(std::string(origin.substr(sizeof "line")))].event);
                };
                const auto offline = *OfflineReconcile::open(options, {});
                for (std::size_t i = 0; i < lines.size(); ++i) {
                    const auto payload = json::Document::parse(lines[i].event.payload);
                    ASSERT_TRUE(payload);
                    OfflineBatch batch(offline->rules());
                    batch.prepare({.event = lines[i].event,
                                   .payload = payload->root(),
                                   .received_at = lines[i].received,
                                   .position = {},
                                   .origin = "line " + std::to_string(i),
                                   .readable_again = i % 2 == 0 && memory > 6 << 10});
                    ASSERT_TRUE(offline->take(batch, 0));
                }
                if (late_flow) {  // all legs are extracted again
                    const auto flow = *parse_flow(shipped_order_flow(), "order.yaml");
                    ASSERT_TRUE(offline->add_flow(activation_of(default_tenant(), flow), noon(-9)));
                }
                outcomes.insert(all_of(*offline));
            }
        }
        EXPECT_EQ(outcomes.size(), 1u) << (received ? "received" : "by their own times");
        EXPECT_GT(outcomes.begin()->size(), 100'000u);
        EXPECT_NE(outcomes.begin()->find("other content"), std::string::npos);
    }
}

TEST_F(OfflineTest, what_cannot_be_read_again_ends_it) {
    OfflineOptions options;
    options.scratch = root_.string();
    options.again = [](std::string_view) { return fail(ErrorKind::unavailable, "gone"); };
    const auto offline = *OfflineReconcile::open(options, {});
    for (const auto& event : {order("A", noon(0)), order("B", noon(0)), order("A", noon(0))}) {
        const auto payload = json::Document::parse(event.payload);
        OfflineBatch batch(offline->rules());
        batch.prepare({.event = event,
                       .payload = payload->root(),
                       .received_at = {},
                       .position = {},
                       .origin = {},
                       .readable_again = true});
        ASSERT_TRUE(offline->take(batch, 0));
    }
    const auto closed = offline->close(ignore);
    ASSERT_FALSE(closed);
    EXPECT_EQ(closed.error().what, "gone");
}

TEST_F(OfflineTest, whoever_watches_sees_each_step) {
    OfflineOptions options;
    options.scratch = root_.string();
    std::set<OfflineStep::Kind> steps;
    options.step = [&](const OfflineStep& step) {
        EXPECT_LE(step.done, step.all);
        steps.insert(step.kind);
    };
    bool stopped = false;
    options.stop = [&stopped] { return stopped; };
    const auto offline = *OfflineReconcile::open(options, {});
    ASSERT_TRUE(offline->add(order("A", noon(0)), {}, ""));
    const auto flow = *parse_flow(shipped_order_flow(), "order.yaml");
    ASSERT_TRUE(offline->add_flow(activation_of(default_tenant(), flow), noon(-9)));
    ASSERT_TRUE(offline->close(ignore));
    EXPECT_EQ(steps,
              (std::set{OfflineStep::Kind::comparing_ids, OfflineStep::Kind::reading_again}));
    stopped = true;
    const auto interrupted = offline->finish([](const model::Verdict&) {});
    ASSERT_FALSE(interrupted);
    EXPECT_EQ(interrupted.error().kind, ErrorKind::stopping);
    EXPECT_TRUE(steps.contains(OfflineStep::Kind::judging));
}

TEST_F(OfflineTest, without_receive_times_one_key_is_one_case) {
    const auto far = noon(90 * 86400);  // beyond amend_for
    const std::vector<Line> lines{
        {event("aws", "OrderPlaced", "o", good_order, noon(0)), {}},
        {event("gcp", "PaymentProcessed", "p", good_payment, noon(1)), {}},
        {event("azure", "InventoryReserved", "i", good_stock, noon(2)), {}},
        {event("azure", "InventoryReserved", "i2",
               R"({"orderId":"A1","reservationId":"R2","items":[{"sku":"X","quantity":2}]})", far),
         {}}};
    EXPECT_EQ(run(lines), std::vector<std::string>{"A1 mismatched duplicate:inventory"});
    // A leg years later than the rest is late and skewed, but no orphan of a second instance.
    std::vector<Line> late{
        lines[0], lines[1], {event("azure", "InventoryReserved", "i", good_stock, far), {}}};
    EXPECT_EQ(run(late), std::vector<std::string>{"A1 mismatched late:inventory skew:inventory"});
    // With receive times, as live.
    for (Line& line : late) {
        line.received = line.event.time;
    }
    EXPECT_EQ(run(late).size(), 2u);
}

TEST_F(OfflineTest, without_receive_times_the_order_of_lines_does_not_matter) {
    std::vector<Line> lines{{order("B", noon(0)), {}},     {payment("B", noon(2)), {}},
                            {stock("B", noon(3)), {}},     {order("A", noon(500)), {}},
                            {payment("A", noon(501)), {}}, {stock("A", noon(570)), {}},
                            {payment("C", noon(9)), {}}};
    const V expected{"A mismatched late:inventory skew:inventory", "B matched",
                     "C partial missing:order missing:inventory orphan:payment"};
    EXPECT_EQ(run(lines), expected);
    std::reverse(lines.begin(), lines.end());
    EXPECT_EQ(run(lines), expected);
    const V revisions = run(lines, true);
    EXPECT_EQ(revisions.front(), "A pending");
    EXPECT_EQ(revisions.size(), 7u);
    std::rotate(lines.begin(), lines.begin() + 3, lines.end());
    EXPECT_EQ(run(lines, true), revisions);
}

TEST_F(OfflineTest, lines_without_any_time_are_neither_late_nor_skewed) {
    EXPECT_EQ(run({{stock("A", {}), {}}, {order("A", noon(0)), {}}, {payment("A", noon(1)), {}}}),
              V{"A matched"});
    EXPECT_EQ(run({{stock("A", {}), {}}, {order("A", {}), {}}, {payment("A", {}), {}}}),
              V{"A matched"});
}

TEST_F(OfflineTest, with_receive_times_they_are_the_order) {
    std::vector<Line> lines{{order("A", noon(0)), noon(0)},
                            {payment("A", noon(1)), noon(1)},
                            {stock("A", noon(2)), noon(61)}};
    EXPECT_EQ(run(lines), V{"A matched late:inventory"});
    std::swap(lines[0], lines[2]);
    EXPECT_EQ(run(lines), V{"A matched late:inventory"});
    EXPECT_EQ(run(lines, true),
              (V{"A pending", "A partial missing:inventory", "A matched late:inventory"}));
}

TEST_F(OfflineTest, as_of_ignores_what_came_later) {
    const std::vector<Line> received{{order("A", noon(0)), noon(0)},
                                     {payment("A", noon(1)), noon(1)},
                                     {stock("A", noon(2)), noon(30)}};
    EXPECT_EQ(run(received, false, noon(29)), V{"A pending"});
    EXPECT_EQ(run(received, false, noon(30)), V{"A matched"});
    const std::vector<Line> plain{
        {order("A", noon(0)), {}}, {payment("A", noon(1)), {}}, {stock("A", noon(30)), {}}};
    EXPECT_EQ(run(plain, false, noon(29)), V{"A pending"});
    EXPECT_EQ(run(plain, false, noon(100)), V{"A matched"});
}

TEST_F(OfflineTest, which_of_one_id_counts_does_not_depend_on_the_order_of_lines) {
    const auto runs = [this](std::vector<Line> lines) {
        std::set<std::vector<std::string>> outcomes;
        for (std::size_t i = 0; i < lines.size();
             ++i, std::rotate(lines.begin(), lines.begin() + 1, lines.end())) {
            const auto offline = open(true);
            for (const Line& line : lines) {
                EXPECT_TRUE(offline->add(line.event, line.received, ""));
            }
            EXPECT_TRUE(offline->close(ignore));
            std::vector<std::string> out;
            const auto summary =
                offline->finish([&](const model::Verdict& v) { out.push_back(model::encode(v)); });
            EXPECT_TRUE(summary && summary->events == 3u);
            outcomes.insert(std::move(out));
        }
        return outcomes.size();
    };
    auto dearer = payment("A", noon(4));
    dearer.payload = R"({"orderId":"A","amount":6})";
    const std::vector<Line> repeated{{order("A", noon(0)), {}},
                                     {payment("A", noon(70)), {}},
                                     {payment("A", noon(3)), {}},
                                     {stock("A", noon(3)), {}}};
    EXPECT_EQ(runs(repeated), 1u) << "the same content at another time";
    EXPECT_EQ(runs({{order("A", noon(0)), {}},
                    {dearer, {}},
                    {payment("A", noon(4)), {}},
                    {stock("A", noon(3)), {}}}),
              1u)
        << "other content";
    EXPECT_EQ(runs({{order("A", noon(0)), noon(0)},
                    {payment("A", noon(1)), noon(90)},
                    {payment("A", noon(1)), noon(1)},
                    {stock("A", noon(3)), noon(3)}}),
              1u)
        << "received twice";
}

TEST_F(OfflineTest, lines_received_at_one_instant_have_an_order_of_their_own) {
    const auto outcomes = [this](std::vector<Line> lines, bool positions) {
        std::vector<std::size_t> places(lines.size());
        std::iota(places.begin(), places.end(), 0u);
        std::set<std::vector<std::string>> seen;
        do {
            const auto offline = open(true);
            for (const std::size_t i : places) {
                EXPECT_TRUE(offline->add(lines[i].event, lines[i].received,
                                         positions ? "p" + std::to_string(i) : ""));
            }
            EXPECT_TRUE(offline->close(ignore));
            std::vector<std::string> out;
            EXPECT_TRUE(
                offline->finish([&](const model::Verdict& v) { out.push_back(model::encode(v)); }));
            seen.insert(std::move(out));
        } while (std::next_permutation(places.begin(), places.end()));
        return seen;
    };
    auto cheaper = order("A", noon(1));
    cheaper.id = "o-A-again";
    cheaper.payload = R"({"orderId":"A","total":4})";
    auto elsewhere = payment("A", {});
    elsewhere.scope = "another";
    const std::vector<Line> lines{{order("A", noon(0)), noon(5)},
                                  {cheaper, noon(5)},
                                  {payment("A", noon(2)), noon(5)},
                                  {elsewhere, noon(5)},
                                  {stock("A", noon(0)), noon(5)}};
    EXPECT_EQ(outcomes(lines, false).size(), 1u);
    EXPECT_EQ(outcomes(lines, true).size(), 1u);
}

// The texts of positions sort in another order than positions do.
TEST_F(OfflineTest, lines_of_an_export_received_at_one_instant_are_in_the_log_order) {
    for (std::uint64_t first = 1; first <= 70; ++first) {
        const auto offline = open(true);
        const auto position = [](std::uint64_t offset) {
            return model::encode_position(
                {7, {{model::topic::orders, 3}, Offset{offset}}, noon(0)});
        };
        // Two orders under one id of their own each: the first one opens the case.
        for (const auto offset : {first + 1, first}) {
            ASSERT_TRUE(offline->add(event("aws", "OrderPlaced", "o-" + std::to_string(offset),
                                           R"({"orderId":"A1","total":5})", noon(0)),
                                     noon(1), position(offset)));
        }
        ASSERT_TRUE(offline->close(ignore));
        std::vector<std::string> opening;
        ASSERT_TRUE(offline->finish([&](const model::Verdict& v) {
            if (v.revision == 1) {
                opening.push_back(v.events.at(0).event_id);
            }
        }));
        ASSERT_EQ(opening, std::vector<std::string>{"o-" + std::to_string(first)});
    }
}

TEST_F(OfflineTest, a_conflict_leaves_out_the_same_line_whichever_comes_first) {
    auto dearer = payment("A", noon(4));
    dearer.payload = R"({"orderId":"A","amount":6})";
    for (const bool reversed : {false, true}) {
        const auto offline = open();
        std::vector<std::pair<model::Event, std::string>> lines{{payment("A", noon(3)), "counts"},
                                                                {dearer, "is left out"}};
        if (reversed) {
            std::reverse(lines.begin(), lines.end());
        }
        EXPECT_TRUE(offline->add(lines[0].first, {}, "", lines[0].second));
        EXPECT_TRUE(offline->add(lines[1].first, {}, "", lines[1].second));
        V left_out;
        EXPECT_TRUE(offline->close(
            [&](std::string_view origin, std::string_view) { left_out.emplace_back(origin); }));
        EXPECT_EQ(left_out, V{"is left out"});
    }
}

TEST_F(OfflineTest, the_same_id_is_a_duplicate_or_a_conflict) {
    const auto offline = open();
    EXPECT_TRUE(offline->add(order("A", noon(0)), {}, ""));
    EXPECT_TRUE(offline->add(order("A", noon(5)), {}, "")) << "times are no content";
    auto other = order("A", noon(0));
    other.payload = R"({"orderId":"A","total":6})";
    EXPECT_TRUE(offline->add(other, {}, ""));
    const auto mixed = offline->add(payment("A", noon(1)), noon(1), "");
    ASSERT_FALSE(mixed);
    EXPECT_EQ(mixed.error().kind, ErrorKind::invalid);
    V conflicts;
    EXPECT_TRUE(offline->close(
        [&](std::string_view, std::string_view why) { conflicts.emplace_back(why); }));
    ASSERT_EQ(conflicts.size(), 1u);
    EXPECT_TRUE(
        conflicts[0].starts_with("event o-A from aws stands on another line with other content"));
    const auto summary = offline->finish([](const model::Verdict&) {});
    ASSERT_TRUE(summary);
    EXPECT_EQ(summary->events, 1u);
    EXPECT_EQ(summary->duplicates, 1u);
    EXPECT_EQ(summary->partial, 1u);
    EXPECT_EQ(summary->cases, 1u);
}

}  // namespace
}  // namespace helios::reconcile
