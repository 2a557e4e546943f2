/// A list that is walked page by page while everything goes on: records arrive and change, time
/// passes and old rows leave, server and readers start anew. What was there when the walk began,
/// stayed, and was left alone is shown once.

#include <gtest/gtest.h>
#include <map>
#include <rapidcheck.h>
#include <set>

#include "store/test_kit.h"

namespace helios::store {
namespace {

using model::VerdictStatus;

constexpr std::size_t all_rows = 1'000;

/// A store and what happens to it.
class World {
public:
    /// `cases_leave`: one that has left may come back, by an amendment.
    explicit World(bool cases_leave) {
        bench_.options.slice = std::chrono::minutes(1);
        bench_.options.copies_within = std::chrono::minutes(2);
        bench_.options.keep_events = std::chrono::minutes(5);
        bench_.options.keep_cases = std::chrono::minutes(cases_leave ? 6 : 0);
        bench_.options.keep_quarantine = std::chrono::minutes(6);
        bench_.options.retention_interval = Duration{1};
        start();
        for (int n = *rc::gen::inRange(1, 20); n > 0; --n) {
            arrive();
            bench_.clock.advance(std::chrono::seconds(*rc::gen::inRange(0, 20)));
        }
        catch_up();
    }

    Queries& queries() { return *queries_; }
    /// Whoever touched it may have moved it to the front.
    bool was_touched(const std::string& name) const { return touched_.contains(name); }

    void go_on() {
        switch (*rc::gen::inRange(0, 5)) {
            case 0:
                for (int n = *rc::gen::inRange(1, 5); n > 0; --n) {
                    arrive();
                }
                break;
            case 1:
                touch(*rc::gen::inRange(0, next_));
                break;
            case 2:
                bench_.clock.advance(std::chrono::seconds(*rc::gen::inRange(1, 90)));
                break;
            case 3:
                start();
                break;
            default:
                return;
        }
        catch_up();
    }

private:
    void start() {
        projector_.reset();
        queries_.reset();
        projector_ = bench_.open().value();
        queries_ = bench_.queries();
    }
    void catch_up() {
        bench_.append(testing::some_counts("route", bench_.clock.wall(), {{"judged", 1}}));
        const auto caught_up = projector_->catch_up(bench_.log->last_log_time() + Duration{1});
        RC_ASSERT(caught_up.has_value());
    }
    void append_verdict(int n, std::uint32_t revision) {
        auto verdict = testing::a_verdict("c" + std::to_string(n), revision,
                                          VerdictStatus::mismatched, bench_.clock.wall());
        verdict.opened_at = opened_.try_emplace(n, bench_.clock.wall()).first->second;
        bench_.append(verdict);
    }
    void append_item(int n) {
        model::Quarantined item(default_tenant());
        item.id = "q" + std::to_string(n);
        item.source = n % 2 == 0 ? "aws" : "gcp";
        item.reason = n % 3 == 0 ? "missing_field" : "invalid_json";
        bench_.append(item);
    }
    void arrive() {
        const int n = next_++;
        bench_.append(testing::an_event("e" + std::to_string(n), n % 3 == 0 ? "A" : "B", "K",
                                        n % 2 == 0 ? "aws" : "gcp"));
        append_verdict(n, 1);
        append_item(n);
    }
    /// A copy, an amendment and a repetition.
    void touch(int n) {
        bench_.append(testing::an_event("e" + std::to_string(n), n % 3 == 0 ? "A" : "B", "K",
                                        n % 2 == 0 ? "aws" : "gcp"));
        append_verdict(n, ++revisions_[n] + 1);
        append_item(n);
        touched_.insert("c" + std::to_string(n));
        touched_.insert("q" + std::to_string(n));
    }

    testing::Bench bench_;
    std::unique_ptr<Projector> projector_;
    std::unique_ptr<Queries> queries_;
    int next_ = 0;
    std::map<int, Instant> opened_;
    std::map<int, std::uint32_t> revisions_;
    std::set<std::string> touched_;
};

/// The event's own record: a copy that comes late is another row.
std::string record_of(const EventRow& row) {
    const auto& at = row.pointer;
    return std::to_string(static_cast<int>(at.partition.topic)) + "/" +
           std::to_string(at.partition.index) + "/" + std::to_string(at.offset.value);
}

template <class Page, class Name>
std::vector<std::string> names_of(const Page& page, Name name) {
    std::vector<std::string> names;
    for (const auto& item : page.items) {
        names.push_back(std::invoke(name, item));
    }
    return names;
}

/// `moves`: what is touched goes to the front.
template <class Filter, class Ask, class Name>
void walk(Filter filter, Ask ask, Name name, bool moves) {
    World world(moves);
    const auto all = [&] {
        filter.limit = all_rows;
        filter.after.reset();
        const auto names = names_of(std::invoke(ask, world.queries(), filter).value(), name);
        return std::set(names.begin(), names.end());
    };
    const auto before = all();
    filter.limit = *rc::gen::inRange<std::size_t>(1, 8);
    std::multiset<std::string> seen;
    do {
        const auto page = std::invoke(ask, world.queries(), filter);
        RC_ASSERT(page.has_value());
        for (const auto& one : names_of(*page, name)) {
            seen.insert(one);
        }
        filter.after = page->next;
        world.go_on();
    } while (filter.after);
    const auto after = all();
    for (const auto& one : before) {
        if (after.contains(one) && !(moves && world.was_touched(one))) {
            RC_ASSERT(seen.count(one) == 1u);
        }
    }
    for (const auto& one : seen) {
        RC_ASSERT(seen.count(one) == 1u || (moves && world.was_touched(one)));
    }
}

TEST(Walk, shows_each_event_once) {
    EXPECT_TRUE(rc::check([] {
        EventFilter filter(default_tenant());
        if (*rc::gen::arbitrary<bool>()) {
            filter.source = "aws";
        }
        if (*rc::gen::arbitrary<bool>()) {
            filter.key = "K";
        }
        walk(filter, &Queries::events, &record_of, false);
    }));
}

TEST(Walk, shows_each_case_once_by_opening) {
    EXPECT_TRUE(rc::check(
        [] { walk(CaseFilter(default_tenant()), &Queries::cases, &model::Verdict::key, false); }));
}

TEST(Walk, shows_each_mismatch_once_that_nobody_touched) {
    EXPECT_TRUE(rc::check([] {
        walk(CaseFilter::mismatches(default_tenant()), &Queries::cases, &model::Verdict::key, true);
    }));
}

TEST(Walk, shows_each_quarantined_item_once_that_nobody_touched) {
    EXPECT_TRUE(rc::check([] {
        QuarantineFilter filter(default_tenant());
        if (*rc::gen::arbitrary<bool>()) {
            filter.source = "aws";
        }
        walk(filter, &Queries::quarantined, &QuarantineRow::dlq_id, true);
    }));
}

}  // namespace
}  // namespace helios::store
