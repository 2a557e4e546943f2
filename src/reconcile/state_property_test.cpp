// An engine that is restored from its state goes on byte for byte like the one that never stopped,
// wherever it was kept and wherever it broke off.
#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <random>
#include <set>

#include "base/bytes.h"
#include "model/verdict.h"
#include "reconcile/engine_state.h"
#include "reconcile/scenario_kit.h"
#include "reconcile/state_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;

std::string with(std::string text, std::string_view before, std::string_view after) {
    const auto at = text.find(before);
    HELIOS_ASSERT(at != std::string::npos, "the shipped flow says that");
    return text.replace(at, before.size(), after);
}

/// The shipped flow with a short memory, in versions that differ in what decides.
std::shared_ptr<const Flow> version_of(std::uint32_t version) {
    std::string text(shipped_order_flow());
    text = with(text, "version: 2", "version: " + std::to_string(version));
    text = with(text, "amend_for: 31d", version % 2 == 0 ? "amend_for: 3m" : "amend_for: 5m");
    text = with(text, "deadline: 60s\n    identity: [paymentId",
                "deadline: " + std::string(version == 3 ? "forever" : "90s") +
                    "\n    identity: [paymentId");
    text = with(text, "deadline: 60s\n    identity: [reservationId",
                "deadline: 60s\n    events_max: " + std::to_string(version + 3) +
                    "\n    identity: [reservationId");
    return std::make_shared<const Flow>(*parse_flow(text, "order.yaml"));
}

/// What a partition may hold, at random; small numbers, so that cases meet.
class History {
public:
    explicit History(std::uint32_t seed) : random_(seed) {}

    std::vector<model::CaseRecord> write() {
        activate();
        const int steps = 60 + below(120);
        for (int step = 0; step < steps; ++step) {
            switch (below(14)) {
                case 0:
                    now_ +=
                        std::array{20, 61, 100, 400, 900}.at(static_cast<std::size_t>(below(5)));
                    tick();
                    break;
                case 1:
                    away_for_a_while();
                    break;
                case 2:
                    if (below(4) == 0 && flows_.size() < 4) {
                        activate();
                    }
                    break;
                case 3:
                    records_.emplace_back(model::LevelRecord{
                        noon(now_), static_cast<std::uint32_t>(1 + below(3)), noon(now_)});
                    passed_ = now_;
                    break;
                case 4:
                    tick();
                    break;
                case 5:
                    if (below(12) == 0) {
                        burst();
                    }
                    break;
                default:
                    leg();
            }
        }
        return std::move(records_);
    }

private:
    int below(int n) { return static_cast<int>(random_() % static_cast<std::uint32_t>(n)); }

    void activate() {
        flows_.push_back(version_of(static_cast<std::uint32_t>(flows_.size() + 1)));
        records_.emplace_back(flow_record(*flows_.back(), noon(now_)));
        passed_ = now_;
    }
    void tick() {
        records_.emplace_back(model::TickRecord{noon(now_)});
        passed_ = now_;
    }
    void away_for_a_while() {
        const double from = now_ + 0.001;
        now_ = from + std::array{1, 20, 100}.at(static_cast<std::size_t>(below(3)));
        auto absence = away(from, now_);
        if (below(2) == 0) {
            absence.max = std::chrono::seconds(30 + below(60));
            absence.cause = model::AbsenceCause::refused;
        }
        if (below(3) == 0) {
            absence.sources = {"aws"};
        }
        records_.emplace_back(std::move(absence));
    }
    /// As route does: a record for each version and leg; the newest version opens. Now and then a
    /// lane that knows nothing of the others: stamped earlier, and not saying what has passed.
    void leg() {
        now_ += std::array{0, 0, 1, 5, 30}.at(static_cast<std::size_t>(below(5)));
        const Fact fact{below(3), below(3),  below(3), below(4),
                        below(5), below(40), below(3), below(2) == 0};
        const bool lane = below(4) == 0;
        const double at = lane ? std::max(passed_, now_ - below(20)) : now_;
        feed(event_of(fact, "e-" + std::to_string(++id_)), at, lane);
    }
    void feed(const model::Event& e, double at, bool lane) {
        for (const auto& flow : flows_) {
            for (auto& record : legs_of(*flow, e, noon(at), flow == flows_.back())) {
                if (below(40) == 0) {
                    record.flow_version += 10;
                }
                if (lane) {
                    record.passed.reset();
                } else {
                    passed_ = at;
                }
                records_.emplace_back(std::move(record));
            }
        }
    }
    /// One case of very many events, judged now and then.
    void burst() {
        const std::string key = "A" + std::to_string(below(3));
        for (int i = 0; i < 270; ++i) {
            now_ += i < 250 ? 0.0001 : 0.05;
            const std::string n = std::to_string(++id_);
            feed(event("gcp", "PaymentProcessed", "b-" + n,
                       R"({"orderId":")" + key + R"(","paymentId":"B)" + n +
                           R"(","amount":5,"status":"DECLINED"})",
                       noon(now_)),
                 now_, false);
        }
    }

    std::mt19937 random_;
    std::vector<model::CaseRecord> records_;
    std::vector<std::shared_ptr<const Flow>> flows_;
    double now_ = 0;
    double passed_ = 0;
    int id_ = 0;
};

/// An engine whose state can be taken away from under it.
struct Kept {
    MapState state;
    StoredClosedCases closed{state};
    Engine engine{closed};

    Kept() = default;
    explicit Kept(MapState::Entries from) : state(std::move(from)) {
        const auto restored = engine.restore(state);
        EXPECT_TRUE(restored) << restored.error().message();
    }
};

std::vector<std::string> bytes_of(const std::vector<Revision>& revisions) {
    std::vector<std::string> out;
    for (const auto& revision : revisions) {
        out.push_back(model::encode(revision.verdict) + (revision.first_decision ? "first" : ""));
    }
    return out;
}

/// Every field of a case, so that one that is not encoded is missed.
std::string fields(const CaseView& view) {
    ByteWriter out;
    const Case& c = view.state;
    out.boolean(view.open);
    for (const std::uint64_t number :
         {std::uint64_t{c.flow->version}, std::uint64_t{c.instance}, std::uint64_t{c.revision},
          std::uint64_t{c.level}, std::uint64_t{c.satisfied}, std::uint64_t{c.unsettled},
          std::uint64_t{c.overflowed}, std::uint64_t{static_cast<std::uint8_t>(c.status)},
          std::uint64_t{c.decided}, c.published}) {
        out.varint(number);
    }
    for (const Instant t :
         {c.opened_at, c.closed_at, c.scheduled, c.latest, c.judged_at, c.put_off}) {
        out.zigzag(to_nanos(t));
    }
    for (const HeldEvent& e : c.events) {
        out.varint(e.leg);
        out.boolean(e.counts);
        out.boolean(e.unknown_status);
        out.zigzag(e.occurred_ns);
        out.zigzag(e.event_ns);
        out.zigzag(e.at_ns);
        out.u64(e.content_hash);
        out.string(e.packed);
    }
    for (const Instant t : view.deadlines) {
        out.zigzag(to_nanos(t));
    }
    return to_hex(out.view());
}

void expect_same(const Engine& actual, const Engine& expected) {
    EXPECT_EQ(actual.time(), expected.time());
    EXPECT_EQ(actual.open_cases(), expected.open_cases());
    EXPECT_EQ(actual.closed_cases(), expected.closed_cases());
    EXPECT_EQ(actual.records_without_flow(), expected.records_without_flow());
    EXPECT_EQ(actual.expired_before(), expected.expired_before());
    EXPECT_EQ(actual.earliest_deadline(), expected.earliest_deadline());
    for (std::size_t n = 1; n < 5; ++n) {
        EXPECT_EQ(actual.deadline_of(n), expected.deadline_of(n));
    }
    for (int i = 0; i < 3; ++i) {
        const std::string key = "A" + std::to_string(i);
        const auto here = actual.inspect(default_tenant(), "order", key);
        const auto there = expected.inspect(default_tenant(), "order", key);
        ASSERT_EQ(here.has_value(), there.has_value());
        const std::string id = model::case_log_key(default_tenant(), "order", key);
        EXPECT_EQ(actual.would_join(id), expected.would_join(id));
        if (here) {
            EXPECT_EQ(fields(*here), fields(*there));
        }
    }
}

/// Some of what may shrink has shrunk, in the state and in its checkpoint.
void shrink_some(MapState::Entries& one, MapState::Entries& other, Instant before,
                 std::mt19937& random, std::size_t& shrunk) {
    for (auto& [key, value] : one) {
        const auto small = shrink_closed(key, value, before);
        if (!small || random() % 2 == 0) {
            continue;
        }
        const auto same = other.find(key);
        if (same != other.end() && same->second == value) {
            same->second = *small;
        }
        value = *small;
        ++shrunk;
    }
}

/// What the histories met, so that the test can tell that it tests something.
struct Met {
    std::size_t crashes = 0, shrunk = 0, put_off = 0, later_instances = 0, amended = 0,
                overflows = 0;
};

void play(std::uint32_t seed, Met& met) {
    const auto records = History(seed).write();
    std::mt19937 random(seed);
    const std::uint32_t spacing = std::array{1u, 3u, 20u, 100u}.at(seed % 4);
    MemoryClosedCases closed;
    Engine whole(closed);
    std::vector<std::vector<std::string>> expected;
    auto kept = std::make_unique<Kept>();
    MapState::Entries checkpoint;
    std::size_t next = 0;  // of the checkpoint
    for (std::size_t i = 0; i < records.size() && !testing::Test::HasFailure(); ++i) {
        SCOPED_TRACE("record " + std::to_string(i));
        const auto revisions = whole.on_record(records[i]);
        for (const auto& revision : revisions) {
            met.later_instances += revision.verdict.instance > 1 ? 1 : 0;
            met.amended += revision.verdict.revision > 3 ? 1 : 0;
        }
        expected.push_back(bytes_of(revisions));
        EXPECT_EQ(bytes_of(kept->engine.on_record(records[i])), expected.back());
        if (random() % spacing == 0) {
            kept->engine.put_changes(kept->state);
            checkpoint = kept->state.entries;
            next = i + 1;
            shrink_some(checkpoint, kept->state.entries, kept->engine.expired_before(), random,
                        met.shrunk);
        }
        if (random() % 25 == 0) {
            ++met.crashes;
            kept = std::make_unique<Kept>(checkpoint);
            for (std::size_t again = next; again <= i; ++again) {
                EXPECT_EQ(bytes_of(kept->engine.on_record(records[again])), expected[again]);
            }
            expect_same(kept->engine, whole);
            for (const char* key : {"A0", "A1", "A2"}) {
                const auto view = whole.inspect(default_tenant(), "order", key);
                met.put_off += view && view->open && view->state.unsettled != 0 ? 1 : 0;
                met.overflows += view && view->state.overflowed != 0 ? 1 : 0;
            }
        }
        EXPECT_TRUE(kept->closed.health());
    }
    expect_same(kept->engine, whole);
}

TEST(StateProperty, an_engine_restored_anywhere_goes_on_as_if_it_had_never_stopped) {
    Met met;
    for (std::uint32_t seed = 1; seed <= 60 && !HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        ASSERT_NO_FATAL_FAILURE(play(seed, met));
    }
    EXPECT_GT(met.crashes, 100u);
    EXPECT_GT(met.shrunk, 20u);
    EXPECT_GT(met.put_off, 10u);
    EXPECT_GT(met.later_instances, 100u);
    EXPECT_GT(met.amended, 100u);
    EXPECT_GT(met.overflows, 20u);
}

TEST(StateProperty, what_is_put_piece_by_piece_is_what_is_put_at_once) {
    for (std::uint32_t seed = 200; seed < 230; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        Kept pieces;
        Kept at_once;
        for (const auto& record : History(seed).write()) {
            pieces.engine.on_record(record);
            at_once.engine.on_record(record);
            if (random() % 5 == 0) {
                pieces.engine.put_changes(pieces.state);
            }
        }
        pieces.engine.put_changes(pieces.state);
        at_once.engine.put_changes(at_once.state);
        ASSERT_EQ(pieces.state.entries, at_once.state.entries);
    }
}

}  // namespace
}  // namespace helios::reconcile
