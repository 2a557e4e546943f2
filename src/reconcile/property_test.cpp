// Two invariants of src/reconcile/README.md: settled verdicts don't depend on the order of arrival
// or on repetition; revisions don't depend on restarts and batching. And a third: an export judged
// offline gives the live revisions.
#include <algorithm>
#include <array>
#include <deque>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <rapidcheck/gtest.h>

#include "base/temporary_directory.h"
#include "model/position.h"
#include "reconcile/lanes_kit.h"
#include "reconcile/offline.h"
#include "reconcile/options_kit.h"
#include "reconcile/scenario_kit.h"
#include "reconcile/stage_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;

/// The same without what names an event: sentences of ambiguous findings, and which event is
/// listed.
std::string decided(const model::Verdict& v) {
    model::Verdict nameless = v;
    nameless.events.clear();
    for (auto& f : nameless.findings) {
        f.detail = f.kind == model::FindingKind::ambiguous ? "" : f.detail;
    }
    return settled_text(nameless);
}

using Told = std::string (*)(const model::Verdict&);

std::map<std::string, std::string> settled_verdicts(const std::vector<Fact>& facts,
                                                    const std::vector<std::size_t>& arrival,
                                                    const std::vector<int>& gaps,
                                                    const std::vector<std::string>& ids,
                                                    Told told = settled_text) {
    Bench b;
    double now = 100;
    for (std::size_t i = 0; i < arrival.size(); ++i) {
        now += gaps[i % gaps.size()];
        b.feed(event_of(facts[arrival[i]], ids[arrival[i]]), noon(now));
    }
    b.tick(now + 1000);
    std::map<std::string, std::string> out;
    for (const auto& revision : b.revisions) {
        out[revision.verdict.key] = told(revision.verdict);  // the last one stays
    }
    return out;
}

std::vector<std::string> ids_of(std::size_t n, std::uint32_t seed) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < n; ++i) {
        out.push_back("e-" + std::to_string(i));
    }
    std::mt19937 random(seed);
    std::shuffle(out.begin(), out.end(), random);
    return out;
}

RC_GTEST_PROP(Property, settled_verdicts_dont_depend_on_order_or_repetition, ()) {
    const auto facts = *rc::gen::nonEmpty(rc::gen::container<std::vector<Fact>>(any_fact()));
    std::vector<std::size_t> in_order;
    for (std::size_t i = 0; i < facts.size(); ++i) {
        in_order.push_back(i);
    }
    auto shuffled = in_order;
    const auto repeated = *rc::gen::container<std::vector<std::size_t>>(
        rc::gen::inRange<std::size_t>(0, facts.size()));
    shuffled.insert(shuffled.end(), repeated.begin(), repeated.end());
    std::mt19937 random(*rc::gen::arbitrary<std::uint32_t>());
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    const auto gaps = *rc::gen::nonEmpty(
        rc::gen::container<std::vector<int>>(rc::gen::element(0, 1, 5, 30, 61, 200)));
    const auto ids = ids_of(facts.size(), 0);
    RC_ASSERT(settled_verdicts(facts, in_order, {1}, ids) ==
              settled_verdicts(facts, shuffled, gaps, ids));
}

RC_GTEST_PROP(Property, settled_verdicts_dont_depend_on_ids, ()) {
    const auto facts = *rc::gen::nonEmpty(rc::gen::container<std::vector<Fact>>(any_fact()));
    std::vector<std::size_t> in_order;
    for (std::size_t i = 0; i < facts.size(); ++i) {
        in_order.push_back(i);
    }
    const auto one = ids_of(facts.size(), *rc::gen::arbitrary<std::uint32_t>());
    const auto other = ids_of(facts.size(), *rc::gen::arbitrary<std::uint32_t>());
    RC_ASSERT(settled_verdicts(facts, in_order, {1}, one, decided) ==
              settled_verdicts(facts, in_order, {1}, other, decided));
}

/// A key's events with log times, and our absences among them.
struct Past {
    std::vector<Fact> facts;
    std::vector<Instant> at;  ///< of the facts, rising
    std::vector<model::AbsenceRecord> absences;
    Instant end;
};

Past any_past() {
    Past past;
    past.facts = *rc::gen::nonEmpty(rc::gen::container<std::vector<Fact>>(any_fact()));
    double now = 100;
    for (std::size_t i = 0; i < past.facts.size(); ++i) {
        now += *rc::gen::element(0, 0, 1, 5, 30, 61, 200);
        past.at.push_back(noon(now));
    }
    for (int n = *rc::gen::inRange(0, 3); n > 0; --n) {
        const double from = *rc::gen::inRange(90, static_cast<int>(now) + 100);
        past.absences.push_back(away(from, from + *rc::gen::element(1, 20, 100)));
    }
    past.end = noon(now + 2000);
    return past;
}

std::vector<model::LegRecord> legs_at(const Past& past, const Bench& b, std::size_t i) {
    return legs_of(*b.flow, event_of(past.facts[i], "e-" + std::to_string(i)), past.at[i]);
}

/// Route's way on one machine: every record says what has passed.
void one_lane(const Past& past, Bench& b) {
    auto absences = past.absences;
    std::sort(absences.begin(), absences.end(),
              [](const auto& x, const auto& y) { return x.from < y.from; });
    auto next = absences.begin();
    const auto until = [&](Instant t) {
        for (; next != absences.end() && next->from <= t; ++next) {
            b.feed(model::CaseRecord(*next));
        }
    };
    for (std::size_t i = 0; i < past.facts.size(); ++i) {
        until(past.at[i]);
        for (const auto& leg : legs_at(past, b, i)) {
            b.feed(model::CaseRecord(leg));
        }
    }
    until(past.end);
    b.feed(model::CaseRecord(model::TickRecord{past.end}));
}

/// Lanes that wait for nobody: each hands its records over in its own order, whenever it likes, and
/// none of them says what has passed; ticks do, up to the least time that is still to come.
void several_lanes(const Past& past, Bench& b, std::mt19937& random) {
    const auto any = [&](std::size_t n) {
        return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    };
    std::vector<std::deque<std::size_t>> lanes(1 + any(4));
    for (std::size_t i = 0; i < past.facts.size(); ++i) {
        lanes[any(lanes.size())].push_back(i);
    }
    auto absences = past.absences;
    Instant passed = noon(0);
    const auto tick = [&](Instant t) {
        std::erase_if(absences, [&](const auto& absence) {
            const bool due = absence.from <= t;
            if (due) {
                b.feed(model::CaseRecord(absence));
            }
            return due;
        });
        b.feed(model::CaseRecord(model::TickRecord{passed = std::max(passed, t)}));
    };
    for (;;) {
        std::vector<std::size_t> waiting;
        Instant least = past.end;
        for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
            if (!lanes[lane].empty()) {
                waiting.push_back(lane);
                least = std::min(least, past.at[lanes[lane].front()]);
            }
        }
        if (waiting.empty()) {
            break;
        }
        if (any(3) == 0) {
            const auto room = (least - passed) / std::chrono::seconds(1);
            tick(room <= 0
                     ? least
                     : passed + std::chrono::seconds(any(static_cast<std::size_t>(room) + 1)));
        }
        if (!absences.empty() && any(4) == 0) {  // heard of early
            b.feed(model::CaseRecord(absences.back()));
            absences.pop_back();
        }
        auto& lane = lanes[waiting[any(waiting.size())]];
        for (auto leg : legs_at(past, b, lane.front())) {
            leg.passed.reset();
            b.feed(model::CaseRecord(std::move(leg)));
        }
        lane.pop_front();
    }
    tick(past.end);
}

std::map<std::string, std::string> last_of_each(const Bench& b) {
    std::map<std::string, std::string> out;
    for (const auto& revision : b.revisions) {
        out[revision.verdict.key] = settled_text(revision.verdict);
    }
    return out;
}

RC_GTEST_PROP(Property, settled_verdicts_dont_depend_on_how_lanes_interleave, ()) {
    const Past past = any_past();
    Bench one;
    one_lane(past, one);
    Bench several;
    std::mt19937 random(*rc::gen::arbitrary<std::uint32_t>());
    several_lanes(past, several, random);
    RC_ASSERT(last_of_each(several) == last_of_each(one));
    for (const auto& [key, verdict] : last_of_each(one)) {
        const auto here = one.engine.inspect(default_tenant(), "order", key);
        const auto there = several.engine.inspect(default_tenant(), "order", key);
        RC_ASSERT(here.has_value() && there.has_value());
        RC_ASSERT(there->state.opened_at == here->state.opened_at);
        RC_ASSERT(there->deadlines == here->deadlines);
        RC_ASSERT(there->state.latest == here->state.latest);
    }
    for (const auto& revision : several.revisions) {
        const auto& v = revision.verdict;
        RC_ASSERT(v.instance == 1u);
        for (std::size_t i = 0; i < past.facts.size(); ++i) {
            const auto legs = legs_at(past, several, i);
            const bool missing =
                !legs.empty() && legs[0].key == v.key &&
                std::find(v.missing.begin(), v.missing.end(), legs[0].leg) != v.missing.end();
            // A payment may be there and not count.
            RC_ASSERT(!(missing && v.status == model::VerdictStatus::partial &&
                        legs[0].leg != "payment" && past.at[i] <= v.deadline));
        }
    }
}

RC_GTEST_PROP(Property, closed_cases_come_back_whole, ()) {
    const auto facts = *rc::gen::nonEmpty(rc::gen::container<std::vector<Fact>>(any_fact()));
    Bench b;
    for (std::size_t i = 0; i < facts.size(); ++i) {
        b.feed(event_of(facts[i], "e-" + std::to_string(i)), noon(static_cast<double>(i)));
    }
    for (int key = 0; key < 3; ++key) {
        if (const auto view =
                b.engine.inspect(default_tenant(), "order", "A" + std::to_string(key))) {
            const Case back = *Case::decode(view->state.encode(), b.flow.get());
            RC_ASSERT(back.encode() == view->state.encode());
        }
    }
}

/// Random work on real stages over a log: appends, passing time, single steps with small batches,
/// restarts anywhere.
template <class Stages>
void play(Stages& p, std::uint32_t seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::uint32_t n) { return static_cast<int>(random() % n); };
    const auto good = [](const Status& status) { ASSERT_TRUE(status) << status.error().message(); };
    p.route_options.batch_records_max = static_cast<std::size_t>(1 + below(4));
    p.engine_options.batch_records_max = static_cast<std::size_t>(1 + below(4));
    good(p.start());
    std::size_t id = 0;
    // No option decides: whatever they are after a restart, what was published stays what it is.
    const auto scratch = *TemporaryDirectory::make("helios-property-test-");
    const auto change_options = [&] {
        change_every_option(p.route_options, below);
        change_every_option(p.engine_options, below, scratch.path());
    };
    std::uint32_t version = order_flow()->version;
    const auto activate_next = [&] {
        if constexpr (requires { p.use(order_flow()); }) {
            const auto used = p.use(order_flow_of(version + 1));
            ASSERT_TRUE(used || used.error().kind == ErrorKind::exhausted);
            version += used ? 1 : 0;
        }
    };
    for (int i = 0; i < 60; ++i) {
        switch (below(8)) {
            case 0:
            case 1:
            case 2:
            case 3: {
                const Fact fact{below(3), below(3),  below(2), below(4),
                                below(5), below(40), below(3), below(2) == 0};
                const TopicId topic = fact.kind == 0   ? model::topic::orders
                                      : fact.kind == 1 ? model::topic::payments
                                                       : model::topic::inventory;
                p.append(topic, event_of(fact, "e-" + std::to_string(++id)));
                break;
            }
            case 4:
                p.clock.advance(std::chrono::milliseconds(1 + below(40'000)));
                break;
            case 5:
                good(p.step_route());
                break;
            case 6:
                good(p.step_engine());
                break;
            default:
                switch (below(6)) {
                    case 0:
                        if (below(2) == 0) {
                            activate_next();  // and route meets it with other options
                        }
                        p.stop();
                        change_options();
                        good(p.start());
                        break;
                    case 1:
                        p.stop();
                        change_options();
                        p.clock.advance(std::chrono::milliseconds(1 + below(90'000)));
                        good(p.start());
                        break;
                    case 2:
                        p.stand_still(std::chrono::milliseconds(1 + below(90'000)));
                        break;
                    case 3:
                        p.route().presence().refuse(
                            std::array{"", "aws", "gcp"}.at(static_cast<std::size_t>(below(3))));
                        break;
                    case 4:
                        activate_next();
                        break;
                    default:
                        break;
                }
        }
    }
    for (int i = 0; i < 40; ++i) {
        good(p.settle());
    }
    p.clock.advance(std::chrono::minutes(10));
    for (int i = 0; i < 40; ++i) {
        good(p.settle());
    }
}

/// What stands on helios.verdicts is what the pure engine makes of helios.cases.
template <class Stages>
void expect_verdicts_of_the_pure_engine(Stages& p) {
    std::map<std::uint32_t, std::vector<std::string>> expected, actual;
    std::map<std::uint32_t, MemoryClosedCases> closed;
    std::map<std::uint32_t, std::unique_ptr<Engine>> engines;
    for (const auto& record : p.records(model::topic::cases)) {
        auto& engine = engines[record.at.partition.index];
        if (!engine) {
            engine = std::make_unique<Engine>(closed[record.at.partition.index]);
        }
        for (const auto& revision : engine->on_record(*model::decode_case_record(record.value))) {
            expected[record.at.partition.index].push_back(model::encode(revision.verdict));
        }
    }
    for (const auto& record : p.records(model::topic::verdicts)) {
        actual[record.at.partition.index].emplace_back(record.value);
    }
    EXPECT_EQ(actual, expected);
}

TEST(Property, the_logs_verdicts_are_those_of_the_pure_engine_over_its_cases) {
    for (std::uint32_t seed = 1; seed <= 25; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Pipeline p;
        ASSERT_NO_FATAL_FAILURE(play(p, seed));
        expect_verdicts_of_the_pure_engine(p);
    }
}

TEST(Property, so_are_those_of_lanes_on_a_log_that_lets_them_down) {
    for (std::uint32_t seed = 1; seed <= 25; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Lanes p(seed);
        p.log().fail_transactions({.aborted_in = 2 + seed % 7, .unknown_in = 2 + seed % 5});
        ASSERT_NO_FATAL_FAILURE(play(p, seed));
        expect_verdicts_of_the_pure_engine(p);
        EXPECT_FALSE(p.verdicts().empty());
    }
}

/// What stands on its log gives the same revisions offline, byte for byte.
void expect_the_same_offline(Pipeline& p) {
    const auto scratch = *TemporaryDirectory::make("helios-offline-");
    OfflineOptions options;
    options.scratch = scratch.path();
    options.revisions = true;
    auto opened = OfflineReconcile::open(options, {});
    ASSERT_TRUE(opened) << opened.error().message();
    const auto offline = *std::move(opened);
    const auto flows = read_flows(p.log());
    ASSERT_TRUE(flows);
    for (const auto& record : *flows) {
        if (record.activation) {
            ASSERT_TRUE(offline->add_flow(*record.activation, record.log_time));
        }
    }
    Instant end{};
    for (const auto& record : p.records(model::topic::cases)) {
        const auto decoded = *model::decode_case_record(record.value);
        if (const auto* absence = std::get_if<model::AbsenceRecord>(&decoded); absence == nullptr) {
            end = std::max(end, model::at_of(decoded));
        } else if (record.at.partition.index == 0) {
            ASSERT_TRUE(offline->add_absence(*absence));
        }
    }
    offline->add_end(end);
    for (const auto topic :
         {model::topic::payments, model::topic::inventory, model::topic::orders}) {
        for (const auto& record : p.records(topic)) {
            const auto position =
                model::encode_position({log::hash_of(p.log().id()), record.at, record.log_time});
            ASSERT_TRUE(
                offline->add(*model::decode_event(record.value), record.log_time, position));
        }
    }
    std::vector<model::Verdict> live = p.verdicts();
    std::sort(live.begin(), live.end(), [](const auto& a, const auto& b) {
        return std::tie(a.key, a.instance, a.revision) < std::tie(b.key, b.instance, b.revision);
    });
    std::vector<std::string> expected, actual;
    const auto line = [](const model::Verdict& v) {
        json::Writer w;
        model::write_json(w, v);
        return w.take();
    };
    for (const auto& v : live) {
        expected.push_back(line(v));
    }
    ASSERT_TRUE(offline->close([](std::string_view, std::string_view) {}));
    const auto summary =
        offline->finish([&](const model::Verdict& v) { actual.push_back(line(v)); });
    ASSERT_TRUE(summary) << summary.error().message();
    EXPECT_EQ(actual, expected);
}

TEST(Property, an_export_judged_offline_gives_the_live_revisions) {
    for (std::uint32_t seed = 100; seed < 108; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Pipeline p;
        ASSERT_NO_FATAL_FAILURE(play(p, seed));
        expect_the_same_offline(p);
    }
}

// Log times tie: what is activated in a millisecond applies to all events of it, live and offline.
TEST(Property, an_activation_applies_to_all_events_of_its_millisecond) {
    Pipeline p;
    ASSERT_TRUE(p.start());
    ASSERT_TRUE(p.settle());
    const Instant before = p.log().now();
    for (int i = 0; i < 1000; ++i) {
        const std::string key = "T" + std::to_string(i % 300);
        const std::string id = "e-" + std::to_string(i);
        const bool order = i % 3 != 1;
        p.append(order ? model::topic::orders : model::topic::payments,
                 order ? event("aws", "OrderPlaced", id,
                               R"({"orderId":")" + key + R"(","amount":)" + std::to_string(i) + "}")
                       : event("gcp", "PaymentProcessed", id,
                               R"({"orderId":")" + key + R"(","paymentId":")" + id +
                                   R"(","amount":5})"));
        if (i == 700) {
            ASSERT_TRUE(p.use(order_flow_of(3)));
        }
    }
    EXPECT_EQ(p.log().last_log_time(), before) << "all of it in one millisecond";
    ASSERT_TRUE(p.settle());
    const auto verdicts = p.verdicts();
    EXPECT_GE(verdicts.size(), 300u);
    for (const auto& verdict : verdicts) {
        EXPECT_EQ(verdict.flow_version, 3u) << verdict.key;
    }
    expect_the_same_offline(p);
}

}  // namespace
}  // namespace helios::reconcile
