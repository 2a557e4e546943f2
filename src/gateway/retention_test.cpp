/// What the gateway and its index do while the log drops what is past retention.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "gateway/dedup_index.h"
#include "gateway/test_kit.h"
#include "log/synchronous.h"

namespace helios::gateway {
namespace {

using ::testing::HasSubstr;

constexpr Duration hour = std::chrono::hours(1);
constexpr Duration day = 24 * hour;

class GatewayRetention : public ::testing::Test {
protected:
    GatewayRetention() {
        rig_.log_options.keep = 10 * day;
        rig_.log_options.keep_interval = Duration::zero();
        rig_.log_options.segment_bytes = 64u << 10;
        rig_.log_options.zero_ahead_bytes = 4096;
        rig_.options.recent_ids_max = 0;  // ids leave memory as soon as the index has them
        open();
    }
    void open() {
        rig_.reopen();
        rig_.log->keep({{"dedup", [this]() -> Result<log::Offsets> {
                             return rig_.gateway->indexed_durably();
                         }}});
    }
    int send(const std::string& id) {
        return rig_.ingest(order(id, "ORD-1", "\"" + std::string(4'000, '1') + "\"")).status;
    }
    std::uint64_t bytes() {
        std::uint64_t end = 0;
        const auto partitions = *rig_.log->describe();
        for (const auto& info : partitions) {
            if (info.id.topic <= model::topic::counts) {
                end = std::max(end, info.end.value);
            }
        }
        return end - rig_.log->kept().at(0).begin.value;
    }

    Rig rig_;
};

TEST_F(GatewayRetention, forty_days_of_steady_traffic) {
    log::Record flow;
    flow.topic = model::topic::flows;
    flow.value = "a flow";
    ASSERT_TRUE(log::append_now(*rig_.log, {flow})[0]);
    std::uint64_t most = 0;
    for (int i = 0; i < 40 * 24; ++i) {
        ASSERT_EQ(send("e-" + std::to_string(i)), 202);
        rig_.clock.advance(hour);
        if (i % 24 == 0) {
            ASSERT_TRUE(rig_.log->drop_expired());
            EXPECT_EQ(send("e-" + std::to_string(std::max(0, i - 20))), 200) << "hour " << i;
            if (i > 200) {
                EXPECT_EQ(send("e-" + std::to_string(i - 30)), 202) << "past the horizon";
                EXPECT_EQ(send("e-" + std::to_string(i - 30)), 200) << "and then a copy again";
            }
            most = std::max(most, bytes());
        }
        if (i == 300 || i == 700) {
            open();
            EXPECT_EQ(send("e-" + std::to_string(i - 10)), 200);
        }
    }
    ASSERT_TRUE(rig_.log->drop_expired());
    EXPECT_LT(most, 2'000'000u) << "ten days and a quarter, and what stands in segments with them";
    EXPECT_GT(most, 1'000'000u);
    EXPECT_GT(rig_.log->kept().at(0).begin.value, 3'000'000u);
    EXPECT_GT(rig_.log->kept().at(0).begin, Offset{0});
    EXPECT_TRUE(rig_.log->damage().empty());
    const auto flows = rig_.read({model::topic::flows});
    ASSERT_EQ(flows.size(), 1u) << "control is kept for ever";
    EXPECT_EQ(flows[0].value, "a flow");
}

TEST_F(GatewayRetention, each_source_has_its_own_horizon) {
    rig_.options.dedup_horizons = {{"aws", 2 * hour}, {"gcp", 3 * day}};
    open();
    EXPECT_THAT(rig_.lines, ::testing::Not(::testing::Contains(HasSubstr("made for a horizon"))))
        << "nothing was written for the other one";
    ASSERT_EQ(send("e-1"), 202);
    ASSERT_EQ(rig_.send(Endpoint::gcp_pubsub, pubsub("m-1")).status, 204);
    rig_.clock.advance(hour);
    EXPECT_EQ(send("e-1"), 200);
    rig_.clock.advance(2 * hour);
    EXPECT_EQ(send("e-1"), 202);
    rig_.clock.advance(2 * day);
    EXPECT_EQ(rig_.send(Endpoint::gcp_pubsub, pubsub("m-1")).status, 204);
    EXPECT_EQ(rig_.read({model::topic::payments}).size(), 1u);
    rig_.clock.advance(2 * day);
    EXPECT_EQ(rig_.send(Endpoint::gcp_pubsub, pubsub("m-1")).status, 204);
    EXPECT_EQ(rig_.read({model::topic::payments}).size(), 2u);
}

TEST_F(GatewayRetention, another_horizon_makes_the_index_anew_from_the_log) {
    ASSERT_EQ(send("e-1"), 202);
    rig_.clock.advance(30 * hour);
    rig_.options.dedup_horizon = 2 * day;
    open();
    EXPECT_THAT(rig_.lines, ::testing::Contains(HasSubstr("made for a horizon of 1d")));
    EXPECT_EQ(send("e-1"), 200) << "it is younger than the new one";
    rig_.options.dedup_horizon = {};
    open();
    rig_.clock.advance(9 * day);
    EXPECT_EQ(send("e-1"), 200) << "for ever";
}

TEST_F(GatewayRetention, an_index_older_than_the_log_begins_with_it) {
    ASSERT_EQ(send("e-old"), 202);
    rig_.close();
    const auto old = rig_.directory.path() + "/old";
    std::filesystem::copy(rig_.options.index_directory, old,
                          std::filesystem::copy_options::recursive);
    open();
    for (int i = 0; i < 20 * 24; i += 6) {
        ASSERT_EQ(send("e-" + std::to_string(i)), 202);
        rig_.clock.advance(6 * hour);
    }
    ASSERT_TRUE(rig_.log->drop_expired());
    ASSERT_GT(rig_.log->kept().at(0).begin, Offset{0});
    rig_.close();
    std::filesystem::remove_all(rig_.options.index_directory);
    std::filesystem::rename(old, rig_.options.index_directory);
    open();
    EXPECT_EQ(send("e-474"), 200);
    EXPECT_EQ(send("e-old"), 202);
    rig_.close();
    std::filesystem::remove_all(rig_.options.index_directory);
    open();
    EXPECT_EQ(send("e-474"), 200) << "made anew from what is left";
    EXPECT_EQ(send("e-old"), 200);
}

TEST(DedupIndex, drops_generations_and_finds_the_latest) {
    Options options;
    options.dedup_horizon = 8 * hour;
    const auto opened = DedupIndex::open(options);
    ASSERT_TRUE(opened) << opened.error().message();
    DedupIndex& index = **opened;
    const Instant start = from_nanos(1'700'000'000'000'000'000);
    const auto id = [](std::uint8_t n) {
        Digest128 digest{};
        digest[0] = n;
        return digest;
    };
    const auto write = [&](std::uint8_t n, std::uint64_t offset, Duration after) {
        return index.write({{id(n), {{model::topic::orders, 0}, Offset{offset}}, start + after}},
                           {{{model::topic::orders, 0}, Offset{offset + 1}}});
    };
    ASSERT_TRUE(write(1, 10, {}));
    ASSERT_TRUE(write(2, 20, 3 * hour));
    ASSERT_TRUE(write(1, 30, 5 * hour));
    EXPECT_EQ(index.find(id(1)).value()->offset.value, 30u);
    EXPECT_EQ(index.find(id(2)).value()->offset.value, 20u);
    ASSERT_TRUE(write(3, 40, 12 * hour + 30 * std::chrono::minutes(1)));
    EXPECT_EQ(*index.find(id(2)), std::nullopt) << "its generation is older than the horizon";
    EXPECT_EQ(index.find(id(1)).value()->offset.value, 30u);
    EXPECT_EQ(index.find(id(3)).value()->offset.value, 40u);
    ASSERT_TRUE(write(4, 50, 30 * hour));
    EXPECT_EQ(*index.find(id(1)), std::nullopt);
    EXPECT_EQ(*index.find(id(3)), std::nullopt);
    EXPECT_EQ(index.find(id(4)).value()->offset.value, 50u);
}

}  // namespace
}  // namespace helios::gateway
