/// Many slices, and slices that leave beside whoever asks.

#include <atomic>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <thread>

#include "store/dump.h"
#include "store/file_set.h"
#include "store/slice.h"
#include "store/tables.h"
#include "store/test_kit.h"

namespace helios::store {
namespace {

using testing::epoch_of_tests;

constexpr Duration minute = std::chrono::minutes(1);

EventRow a_row(int n) {
    EventRow row;
    row.pointer = {{model::topic::orders, 0}, Offset{static_cast<std::uint64_t>(n)}};
    row.log_time = epoch_of_tests + n * minute;
    row.source = "aws";
    row.event_id = "e" + std::to_string(n);
    row.type = "OrderPlaced";
    row.key = "K" + std::to_string(n);
    row.content = n;
    return row;
}

/// A store with one event a minute, and a slice for each.
class ManySlices : public ::testing::Test {
protected:
    ManySlices() {
        options_.file = folder_.path() + "/store/current.db";
        options_.slice = minute;
        options_.copies_within = Duration{1};
    }

    void fill(int slices) {
        auto tables = Tables::open(options_).value();
        for (int n = 0; n < slices; ++n) {
            Rows rows;
            rows.events.emplace_back(default_tenant(), a_row(n));
            ASSERT_TRUE(tables->write(rows));
        }
    }
    std::unique_ptr<Queries> queries() { return Queries::open(options_, clock_).value(); }
    std::filesystem::path file_of(int n) const {
        return slice_file(options_.file, a_row(n).log_time);
    }
    /// Whoever opens it is told that it is damaged.
    void spoil(int n) const {
        ASSERT_TRUE(remove_file_set(file_of(n)));
        std::ofstream(file_of(n)) << std::string(9'000, 'x');
    }

    TemporaryDirectory folder_ = testing::a_folder();
    ManualClock clock_{epoch_of_tests};
    Options options_;
};

/// Every question that goes over slices, to all of them.
std::vector<Status> ask_everything(Queries& queries) {
    const auto tenant = default_tenant();
    const auto status_of = [](const auto& answer) {
        return answer ? Status{} : Status(fail(answer.error()));
    };
    EventFilter nobodys(tenant);
    nobodys.key = "nobody's";
    EventRow event = a_row(0);
    event.event_id = "nobody's";
    return {
        status_of(queries.events(nobodys)),
        status_of(queries.events_by_id(tenant, "nobody's", std::nullopt)),
        status_of(queries.event_ids(tenant, "nobody", std::nullopt, 10)),
        status_of(queries.records_under(tenant, event)),
        status_of(queries.sources(tenant)),
        status_of(queries.counts(CountFilter(tenant))),
        status_of(queries.history({tenant, "order", "nobody's"})),
    };
}

TEST_F(ManySlices, one_that_is_dropped_beside_a_question_is_passed_over) {
    constexpr int slices = 40;
    fill(slices);
    const auto kept = std::filesystem::path(folder_.path()) / "kept";
    std::filesystem::copy(options_.file.parent_path(), kept);
    for (int round = 0; round < 24; ++round) {
        std::atomic<bool> dropped{false};
        std::jthread dropping([&] {
            for (int n = 0; n < slices; ++n) {
                EXPECT_TRUE(remove_file_set(file_of(n)));
                std::this_thread::yield();
            }
            dropped = true;
        });
        while (!dropped) {
            for (const auto& status : ask_everything(*queries())) {
                EXPECT_TRUE(status) << status.error().message();
            }
        }
        dropping.join();
        std::filesystem::copy(kept, options_.file.parent_path(),
                              std::filesystem::copy_options::skip_existing);
    }
}

TEST_F(ManySlices, what_is_left_of_one_that_was_dropped_goes_at_the_next_start) {
    fill(3);
    const auto left = slice_file(options_.file, epoch_of_tests - minute);
    for (const auto& part : {wal_of(left), shm_of(left)}) {
        std::ofstream(part) << "x";
    }
    ASSERT_TRUE(Tables::open(options_));
    for (const auto& part : {left, wal_of(left), shm_of(left)}) {
        EXPECT_FALSE(std::filesystem::exists(part)) << part;
    }
    EXPECT_TRUE(std::filesystem::exists(file_of(0)));
}

TEST_F(ManySlices, a_page_opens_those_that_it_shows) {
    constexpr int slices = 40;
    options_.copies_within = std::chrono::hours(24);
    options_.slices_near_max = 3;
    fill(slices);
    for (int n = 0; n < slices; ++n) {
        if (n < 17 || (22 < n && n < 37)) {
            spoil(n);
        }
    }
    EventFilter filter(default_tenant());
    filter.limit = 2;  // and one more, which says whether there is a next page
    const auto newest = queries()->events(filter);
    ASSERT_TRUE(newest) << newest.error().message();
    EXPECT_EQ(newest->items.back().event_id, "e38");
    filter.after = a_row(20).place();
    const auto deep = queries()->events(filter);
    ASSERT_TRUE(deep) << "copies are looked for in the next three: " << deep.error().message();
    EXPECT_EQ(deep->items.back().event_id, "e18");
}

/// As many as this process has open now, and `more`.
class DescriptorLimit {
public:
    explicit DescriptorLimit(rlim_t more) {
        const auto open = std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
        EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
        const rlimit small{static_cast<rlim_t>(open) + more, before_.rlim_max};
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &small), 0);
    }
    ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;

private:
    rlimit before_{};
};

TEST_F(ManySlices, do_not_need_many_descriptors) {
    constexpr int slices = 40;
    const DescriptorLimit limit(60);
    fill(slices);
    for (const auto& status : ask_everything(*queries())) {
        EXPECT_TRUE(status) << status.error().message();
    }
    int events = 0;
    const auto dumped =
        dump(options_.file, Database::Mode::read, [&](std::string_view line) -> Status {
            events += line.find(R"("table":"events")") != std::string_view::npos ? 1 : 0;
            return {};
        });
    EXPECT_TRUE(dumped) << dumped.error().message();
    EXPECT_EQ(events, slices);
    EXPECT_TRUE(applied_offsets(options_.file, Database::Mode::read));
}

}  // namespace
}  // namespace helios::store
