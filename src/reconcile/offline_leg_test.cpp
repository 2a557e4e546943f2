#include "reconcile/offline_leg.h"

#include <gtest/gtest.h>

#include "reconcile/test_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;
using model::LegRecord;
using model::ReadValue;

/// With whatever a leg can have. Paths and notes do not wait.
LegRecord full_leg() {
    LegRecord leg(*TenantId::parse("acme"));
    leg.flow = "order";
    leg.flow_version = 300;
    leg.key = "A1";
    leg.leg = "payment";
    leg.identity = "PAY-1";
    leg.event_id = std::string("p\0-1", 4);
    leg.source = "gcp";
    leg.type = "PaymentProcessed";
    leg.event_time = noon(3);
    leg.occurred = noon(2);
    leg.sequence = "-12";
    leg.trace.bytes[3] = 7;
    leg.doubts = {"one", std::string(300, 'd')};
    leg.reads = {{"amount", {ReadValue::Kind::decimal, "12.50", {}, ""}},
                 {"items", {ReadValue::Kind::items, "", {{"X", "2"}, {"Y", "0.5"}}, ""}},
                 {"currency", {ReadValue::Kind::absent, "", {}, ""}},
                 {"status", {ReadValue::Kind::bad, "occurs twice", {}, ""}}};
    return leg;
}

LegRecord bare_leg() {
    LegRecord leg(default_tenant());
    leg.flow = "order";
    leg.flow_version = 1;
    leg.key = leg.identity = "B";
    leg.leg = "order";
    leg.event_id = "o";
    leg.source = "aws";
    return leg;
}

struct Waiting {
    std::string key, value;
};

std::vector<Waiting> waiting(const LegRecord& leg, std::optional<Instant> received) {
    model::Event event(leg.tenant);
    event.source = leg.source;
    event.id = leg.event_id;
    event.scope = "scope";
    std::vector<Waiting> out;
    Extracted extracted;
    LegWriter writer;
    const auto keep = [&out](std::string_view key, std::string_view value) -> Status {
        out.push_back({std::string(key), std::string(value)});
        return {};
    };
    EXPECT_TRUE(writer.write(std::span(&leg, 1), event,
                             {.number = 7,
                              .received = received.has_value(),
                              .at = received.value_or(Instant{}),
                              .order = "order"},
                             {}, extracted, keep));
    EXPECT_TRUE(extracted.has_legs);
    return out;
}

TEST(OfflineLeg, comes_back_as_it_was_into_a_record_that_was_another) {
    auto timed = bare_leg();
    timed.event_time = timed.occurred = noon(1);
    auto without_envelope = bare_leg();
    without_envelope.occurred = noon(1);
    for (const auto& received : {std::optional<Instant>(), std::optional(noon(9))}) {
        LegRecord read = full_leg();
        for (auto leg : {full_leg(), bare_leg(), timed, full_leg(), without_envelope}) {
            const auto legs = waiting(leg, received);
            ASSERT_EQ(legs.size(), 1u);
            leg.at = read.at = received.value_or(Instant{});
            leg.passed = read.passed = received;
            ASSERT_TRUE(read_leg(legs[0].key, legs[0].value, read));
            EXPECT_EQ(read, leg);
            EXPECT_EQ(leg_number(legs[0].key), 7u);
        }
    }
}

TEST(OfflineLeg, of_one_source_id_scope_and_name_begins_alike_and_nothing_else_does) {
    auto later = full_leg();
    later.sequence = "5";
    auto other = full_leg();
    other.leg = "payments";
    const auto same = [](const LegRecord& leg) {
        const auto one = waiting(leg, {}).at(0);
        return one.key.substr(0, same_leg_size(one.value));
    };
    EXPECT_EQ(same(later), same(full_leg()));
    EXPECT_NE(same(other), same(full_leg()));
    EXPECT_EQ(same_leg_size(waiting(full_leg(), noon(9)).at(0).value), 0u);
}

TEST(OfflineLeg, that_lost_bytes_is_none) {
    for (const auto& received : {std::optional<Instant>(), std::optional(noon(9))}) {
        const auto whole = waiting(full_leg(), received).at(0);
        LegRecord read = bare_leg();
        for (std::size_t size = 0; size < whole.value.size(); ++size) {
            EXPECT_FALSE(read_leg(whole.key, whole.value.substr(0, size), read)) << size;
        }
        for (std::size_t size = 0; size < 12; ++size) {
            EXPECT_FALSE(read_leg(whole.key.substr(0, size), whole.value, read)) << size;
        }
    }
}

}  // namespace
}  // namespace helios::reconcile
