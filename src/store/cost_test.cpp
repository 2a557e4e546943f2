/// What questions cost: a page costs what it shows, not what the store holds, whatever is filtered
/// for and however deep the page lies. Counted in instructions of SQLite's machine, which no load
/// and no disk changes.

#include <array>
#include <atomic>
#include <gtest/gtest.h>

#include "store/case_sums.h"
#include "store/migrations.h"
#include "store/records_test_kit.h"
#include "store/slice_statements.h"
#include "store/tables.h"

namespace helios::store {
namespace {

using testing::epoch_of_tests;
using Text = std::optional<std::string>;

/// Counts how often it is asked: once per thousand instructions, and once per question.
class CountingClock final : public Clock {
public:
    Instant wall() const override { return epoch_of_tests; }
    Duration monotonic() const override { return Duration{++asked_}; }
    Duration boot_time() const override { return {}; }
    std::int64_t asked() const { return asked_; }

private:
    mutable std::atomic<std::int64_t> asked_{0};
};

constexpr std::array origins{std::pair("T0", "aws"),   std::pair("T1", "aws"),
                             std::pair("T2", "gcp"),   std::pair("T3", "gcp"),
                             std::pair("T4", "azure"), std::pair("T0", "azure")};

/// A store of many events, items in quarantine and cases, and questions to it.
class Filled {
public:
    explicit Filled(int events) : events_(events) {
        options_.file = folder_.path() + "/current.db";
        options_.query_limit = std::chrono::hours(24);
        auto tables = Tables::open(options_).value();
        for (int begin = 0; begin < events; begin += 2'000) {
            testing::Records records(static_cast<std::uint64_t>(begin));
            for (int i = begin; i < begin + 2'000; ++i) {
                add(records, i);
            }
            HELIOS_ASSERT(tables->write(records.rows()).has_value(), "it is written");
        }
        queries_ = Queries::open(options_, clock_).value();
    }

    /// What the answer cost, in thousands of instructions.
    template <class Question>
    std::int64_t cost(Question question) {
        const auto before = clock_.asked();
        const auto answer = question(*queries_);
        EXPECT_TRUE(answer) << answer.error().message();
        return clock_.asked() - before;
    }
    /// A place in the middle of all that is there.
    Instant middle() const { return epoch_of_tests + std::chrono::seconds(events_ / 2); }
    Instant end() const { return epoch_of_tests + std::chrono::seconds(events_); }

private:
    static void add(testing::Records& records, int i) {
        const auto& [type, source] = origins[static_cast<std::size_t>(i) % origins.size()];
        const auto n = std::to_string(i);
        if (i % 10 < 8) {
            records.add(testing::an_event("e" + n, type, "K" + std::to_string(i % 7), source));
        } else if (i % 10 == 8) {
            model::Quarantined item(default_tenant());
            item.id = "q" + n;
            item.source = i % 20 == 8 ? "aws" : "gcp";
            item.reason = i % 20 == 8 ? "missing_field" : "invalid_json";
            item.key = "K" + std::to_string(i % 3);
            item.event_type = i < 100 ? "rare" : "OrderPlaced";
            records.add(item);
        } else {
            records.add(testing::a_verdict("C" + n, 1, model::VerdictStatus::matched,
                                           epoch_of_tests + std::chrono::seconds(i)));
        }
    }

    int events_;
    TemporaryDirectory folder_ = testing::a_folder();
    CountingClock clock_;
    Options options_;
    std::unique_ptr<Queries> queries_;
};

class Cost : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        small_ = std::make_unique<Filled>(4'000);
        large_ = std::make_unique<Filled>(40'000);
    }
    static void TearDownTestSuite() {
        small_.reset();
        large_.reset();
    }
    /// Ten times as much in the store costs at most half as much again. `ask(queries, filled)`.
    template <class Ask>
    static void expect_level(const std::string& what, Ask ask) {
        const auto of = [&](Filled& filled) {
            return filled.cost([&](Queries& queries) { return ask(queries, filled); });
        };
        const auto small = of(*small_);
        const auto large = of(*large_);
        EXPECT_LE(2 * large, 3 * small + 4) << what << ": " << small << " and " << large;
    }

    static std::unique_ptr<Filled> small_;
    static std::unique_ptr<Filled> large_;
};
std::unique_ptr<Filled> Cost::small_;
std::unique_ptr<Filled> Cost::large_;

std::string shown(const Text& text) {
    return text ? *text : "-";
}

TEST_F(Cost, a_page_of_events_is_the_same_whatever_is_there) {
    for (const Text& key : {Text(), Text("K1"), Text("nobody's")}) {
        for (const Text& type : {Text(), Text("T0"), Text("T4"), Text("zzz")}) {
            for (const Text& source : {Text(), Text("aws"), Text("azure"), Text("zzz")}) {
                for (const int depth : {0, 1, 2}) {
                    expect_level(shown(key) + " " + shown(type) + " " + shown(source) + " " +
                                     std::to_string(depth),
                                 [&](Queries& queries, const Filled& filled) {
                                     EventFilter filter(default_tenant());
                                     filter.limit = 20;
                                     filter.key = key;
                                     filter.type = type;
                                     filter.source = source;
                                     if (depth == 1) {
                                         filter.after = EventPlace{filled.middle(), {}};
                                     }
                                     if (depth == 2) {
                                         filter.received = {epoch_of_tests, filled.middle()};
                                     }
                                     return queries.events(filter);
                                 });
                }
            }
        }
    }
}

TEST_F(Cost, a_page_of_quarantine_is_the_same_whatever_is_there) {
    for (const Text& key : {Text(), Text("K1"), Text("nobody's")}) {
        for (const Text& reason : {Text(), Text("missing_field"), Text("zzz")}) {
            for (const Text& source : {Text(), Text("gcp"), Text("zzz")}) {
                for (const bool deep : {false, true}) {
                    expect_level(shown(key) + " " + shown(reason) + " " + shown(source),
                                 [&](Queries& queries, const Filled& filled) {
                                     QuarantineFilter filter(default_tenant());
                                     filter.limit = 20;
                                     if (deep && !key) {
                                         filter.type = "rare";
                                     }
                                     filter.key = key;
                                     filter.reason = reason;
                                     filter.source = source;
                                     if (deep) {
                                         filter.after = QuarantineCursor{filled.middle(), "q"};
                                         filter.last = {epoch_of_tests, filled.end()};
                                     }
                                     return queries.quarantined(filter);
                                 });
                }
            }
        }
    }
}

TEST_F(Cost, figures_are_sums_of_half_minutes_hours_and_days) {
    const auto stats = [](TimeRange (*range)(const Filled&)) {
        return [range](Queries& queries, const Filled& filled) {
            StatsFilter filter(default_tenant());
            filter.reconciled = range(filled);
            return queries.stats(filter);
        };
    };
    expect_level("all", stats([](const Filled&) { return TimeRange{}; }));
    expect_level("half", stats([](const Filled& filled) {
                     return TimeRange{filled.middle() + Duration{1}, std::nullopt};
                 }));
    expect_level("all but a bit", stats([](const Filled& filled) {
                     return TimeRange{epoch_of_tests + Duration{1}, filled.end() - Duration{1}};
                 }));
}

TEST_F(Cost, of_a_bucket_only_what_it_holds_is_read) {
    for (const Duration length :
         {Duration(std::chrono::seconds(30)), Duration(std::chrono::minutes(1)),
          Duration(std::chrono::minutes(5)), Duration(std::chrono::hours(1))}) {
        expect_level(std::to_string(length.count()), [&](Queries& queries, const Filled& filled) {
            const Instant start = filled.middle() - filled.middle().time_since_epoch() % length;
            std::vector<TimeRange> parts;
            for (int i = 0; i < 20; ++i) {
                parts.push_back({start + i * length, start + (i + 1) * length});
            }
            return queries.stats_of(default_tenant(), std::nullopt, parts);
        });
    }
}

TEST_F(Cost, one_thing_is_a_search) {
    expect_level("latest", [](Queries& queries, const Filled&) {
        return queries.latest({default_tenant(), "order", "C9"});
    });
    expect_level("event", [](Queries& queries, const Filled&) {
        return queries.events_by_id(default_tenant(), "e100", std::nullopt);
    });
    expect_level("ids", [](Queries& queries, const Filled&) {
        return queries.event_ids(default_tenant(), "e1", std::nullopt, 10);
    });
    expect_level("item", [](Queries& queries, const Filled&) {
        return queries.quarantined_item(default_tenant(), "q8");
    });
}

// ---- Plans

/// Tables that no history makes longer.
bool is_small(std::string_view line) {
    for (const auto* table : {"slices", "dropped_slices", "open_cases", "kept_options", "kinds",
                              "quarantine_kinds", "quarantine_size", "flows", "slice"}) {
        const std::string scan = std::string("SCAN ") + table;
        if (line == scan || line.starts_with(scan + " ")) {
            return true;
        }
    }
    return false;
}

template <class S>
void expect_searches(Database& database) {
    const auto plan = database.plan_of(S::sql);
    ASSERT_TRUE(plan) << plan.error().message();
    for (const auto& line : *plan) {
        EXPECT_TRUE(!line.starts_with("SCAN ") || is_small(line)) << S::sql.text() << "\n" << line;
        EXPECT_TRUE(line.find("TEMP B-TREE") == std::string::npos ||
                    S::sql.text().find("FROM flows") != std::string_view::npos)
            << S::sql.text() << "\n"
            << line;
    }
}
template <class... S>
void expect_all_search(Database& database, const PreparedAll<S...>&) {
    (expect_searches<S>(database), ...);
}

TEST(Plans, no_question_scans_or_sorts_what_grows_with_history) {
    const auto folder = testing::a_folder();
    auto current = *Database::open(folder.path() + "/current.db", Database::Mode::write);
    ASSERT_TRUE(migrate(current));
    expect_all_search(current, ReadStatements());
    auto slice = *Database::open(folder.path() + "/slice.db", Database::Mode::write);
    ASSERT_TRUE(migrate(slice, FileKind::slice));
    expect_all_search(slice, SliceReadStatements());
}

}  // namespace
}  // namespace helios::store
