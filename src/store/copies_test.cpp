/// Copies of events on the log: what the store answers depends neither on the order in which
/// partitions are read, nor on batches, nor on how often a record is read, nor on how long slices
/// are.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "store/records_test_kit.h"
#include "store/tables.h"

namespace helios::store {
namespace {

using testing::an_event;
using testing::epoch_of_tests;

struct Placed {
    log::StoredRecord record;
    std::string value;
};

/// Few ids, contents and origins, so that copies abound; partitions whose stamps overlap.
std::vector<std::vector<Placed>> some_partitions() {
    std::vector<std::vector<Placed>> partitions(3);
    for (std::uint32_t partition = 0; partition < partitions.size(); ++partition) {
        const auto size = *rc::gen::inRange(0, 12);
        Instant stamp = epoch_of_tests;
        for (int i = 0; i < size; ++i) {
            auto event = an_event("e" + std::to_string(*rc::gen::inRange(0, 3)), "OrderPlaced",
                                  "K" + std::to_string(*rc::gen::inRange(0, 2)),
                                  *rc::gen::arbitrary<bool>() ? "aws" : "gcp");
            if (*rc::gen::arbitrary<bool>()) {
                event.payload.insert(1, " ");
                event.metadata = R"({"attempt":2})";
            }
            if (*rc::gen::arbitrary<bool>()) {
                event.content = model::content_of(event);
            }
            stamp += std::chrono::seconds(*rc::gen::inRange(0, 40));
            Placed placed{{}, encode(event)};
            placed.record.at = {
                {partition == 0 ? model::topic::other : model::topic::orders, partition},
                Offset{static_cast<std::uint64_t>(i)}};
            placed.record.log_time = stamp;
            placed.record.type = static_cast<std::uint16_t>(model::RecordType::event);
            partitions[partition].push_back(std::move(placed));
        }
    }
    return partitions;
}

/// Partitions in some order of each other, in batches of some size, some read twice.
void project_in_some_order(const std::vector<std::vector<Placed>>& partitions, Tables& tables) {
    std::vector<std::size_t> next(partitions.size());
    Projection batch;
    for (;;) {
        std::vector<std::size_t> unread;
        for (std::size_t p = 0; p < partitions.size(); ++p) {
            if (next[p] < partitions[p].size()) {
                unread.push_back(p);
            }
        }
        if (unread.empty() || *rc::gen::inRange(0, 3) == 0) {
            const int times = *rc::gen::inRange(1, 3);
            for (int i = 0; i < times; ++i) {
                RC_ASSERT(tables.write(batch.rows()).has_value());
            }
            batch = {};
        }
        if (unread.empty()) {
            return;
        }
        const auto p = unread[*rc::gen::inRange<std::size_t>(0, unread.size())];
        const Placed& placed = partitions[p][next[p]++];
        auto record = placed.record;
        record.value = placed.value;
        batch.add(record);
    }
}

std::string dumped_in_some_order(const std::vector<std::vector<Placed>>& partitions,
                                 Duration length) {
    const auto folder = testing::a_folder();
    Options options;
    options.file = folder.path() + "/current.db";
    options.copies_within = std::chrono::seconds(60);
    options.slice = length;
    project_in_some_order(partitions, **Tables::open(options));
    std::string out;
    RC_ASSERT(dump(options.file, Database::Mode::read, [&out](std::string_view line) -> Status {
                  out += line;
                  return {};
              }).has_value());
    return out;
}

TEST(Copies, the_store_is_the_same_in_whatever_order_partitions_are_read) {
    EXPECT_TRUE(rc::check("dump does not depend on the order of partitions", [] {
        const auto partitions = some_partitions();
        const auto length = *rc::gen::element<Duration>(
            std::chrono::minutes(1), std::chrono::minutes(3), std::chrono::hours(24));
        RC_ASSERT(dumped_in_some_order(partitions, length) ==
                  dumped_in_some_order(partitions, std::chrono::hours(24)));
    }));
}

}  // namespace
}  // namespace helios::store
