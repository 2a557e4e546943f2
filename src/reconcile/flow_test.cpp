#include "reconcile/flow.h"

#include <gtest/gtest.h>

namespace helios::reconcile {
namespace {

constexpr const char* small =
    "flow: pair\nversion: 3\nkey: {paths: [id]}\nlegs:\n"
    "  left: {source: any, type: L, deadline: 5s, read: {n: {type: decimal, first: [n]}, t: {type: "
    "text, first: [t]}}}\n"
    "  right: {source: [a, b], type: R, deadline: 1m30s, optional: true, cardinality: many, key: "
    "[lid], identity: event, read: "
    "{n: {type: decimal, first: [n]}}}\n"
    "checks:\n  same: {kind: equal, expected: left.n, actual: right.n}\n";

std::string with(std::string text, std::string_view from, std::string_view to) {
    return text.replace(text.find(from), from.size(), to);
}

std::vector<std::string> complaints(const std::string& text) {
    std::vector<std::string> out;
    for (const Error& e : read_flow(text, "f.yaml").errors) {
        out.push_back(e.message());
    }
    return out;
}

TEST(Flow, the_shipped_order_flow_reads) {
    const auto reading = read_flow(shipped_order_flow(), "flows/order.yaml");
    for (const Error& e : reading.errors) {
        ADD_FAILURE() << e.message();
    }
    ASSERT_TRUE(reading.flow);
    const Flow& f = *reading.flow;
    EXPECT_EQ(f.name, "order");
    EXPECT_EQ(f.version, 2u);
    EXPECT_EQ(f.key_name, "orderId");
    ASSERT_EQ(f.legs.size(), 3u);
    EXPECT_EQ(f.legs[1].name, "payment");
    EXPECT_EQ(f.legs[1].deadline, std::chrono::seconds(60));
    EXPECT_EQ(f.sources(), (std::vector<std::string>{"aws", "azure", "gcp"}));
    EXPECT_EQ(f.anchor, 0u);
    EXPECT_EQ(f.checks.size(), 3u);
    EXPECT_EQ(f.checks[2].max, std::chrono::seconds(30));
    EXPECT_EQ(f.hash.size(), 64u);
    EXPECT_EQ(f.text, shipped_order_flow());
}

TEST(Flow, a_declared_flow_has_what_it_declares) {
    const auto f = parse_flow(small, "f.yaml");
    ASSERT_TRUE(f) << f.error().message();
    EXPECT_TRUE(f->legs[0].wants("anybody", "L"));
    EXPECT_FALSE(f->legs[0].wants("anybody", "R"));
    EXPECT_TRUE(f->legs[1].wants("b", "R"));
    EXPECT_FALSE(f->legs[1].wants("c", "R"));
    EXPECT_TRUE(f->legs[1].optional);
    EXPECT_TRUE(f->legs[1].many);
    EXPECT_EQ(f->legs[1].key_paths[0].text(), "lid");
    EXPECT_EQ(f->longest_deadline(), std::chrono::seconds(90));
    EXPECT_EQ(f->currency, "XXX");
    EXPECT_TRUE(f->legs[0].occurred.at(0).envelope);
}

TEST(Flow, complaints_name_place_and_remedy) {
    using V = std::vector<std::string>;
    EXPECT_EQ(complaints(with(small, "deadline: 5s", "deadlin: 5s")),
              (V{"f.yaml:5:32: unknown key 'deadlin' in leg 'left'; did you mean 'deadline'?",
                 "f.yaml:5:9: 'deadline' is missing; add for example  deadline: 60s"}));
    EXPECT_EQ(complaints(with(small, "5s", "5")),
              (V{"f.yaml:5:42: deadline: '5' is not a duration; write a number with a unit: 250ms, "
                 "60s, 5m, 2h, 31d"}));
    EXPECT_EQ(complaints(with(small, "left.n", "left.m")),
              (V{"f.yaml:8:33: 'left.m' is no read of a leg; did you mean 'left.n'?"}));
    EXPECT_EQ(complaints(with(small, "kind: equal", "kind: amonut")),
              (V{"f.yaml:8:16: unknown kind 'amonut'; did you mean 'amount'?"}));
    EXPECT_EQ(complaints(with(small, "version: 3", "version: 1.0")),
              (V{"f.yaml:2:10: version '1.0' is not a whole number of 1 or more; raise it with "
                 "every change"}));
    EXPECT_EQ(complaints(with(small, "paths: [id]", "paths: [a..b]"))
                  .at(0)
                  .rfind("f.yaml:3:15: bad path \"a..b\"", 0),
              0u);
    EXPECT_EQ(complaints(with(small, "paths: [id]", "paths: [\"a[].b\"]")).size(), 1u);
    EXPECT_EQ(complaints(with(small, "actual: right.n", "actual: left.t"))
                  .at(0)
                  .rfind("f.yaml:8:9: expected and actual are of different types", 0),
              0u);
    EXPECT_EQ(complaints(with(small, "version: 3", "version: 3\nversion: 4")),
              (V{"f.yaml:3:1: the key 'version' occurs twice; first in line 2; keep one of them"}));
    EXPECT_EQ(complaints("").size(), 1u);
    EXPECT_EQ(complaints("legs: {}\nflow: {}\nkey: 3\nversion: [1]\n").size(), 4u);
}

TEST(Flow, what_later_events_may_change_is_declared) {
    using V = std::vector<std::string>;
    const auto leg = [](std::string_view words) {
        return "flow: f\nversion: 1\nkey: {paths: [id]}\nlegs:\n  pay:\n    source: any\n    type: "
               "P\n    deadline: 5s\n    " +
               std::string(words) +
               "\n    read:\n      amount: {type: decimal, currency: money, sign: positive, first: "
               "[a]}\n"
               "      money: {type: text, first: [m]}\n      note: {type: text, first: [n]}\n";
    };
    const auto f = parse_flow(
        leg("revises: [amount, note]\n    sequence: [seq, n]\n    events_max: 7"), "f.yaml");
    ASSERT_TRUE(f) << f.error().message();
    EXPECT_EQ(f->legs[0].revises, 5u);
    EXPECT_EQ(f->legs[0].sequence.size(), 2u);
    EXPECT_EQ(f->legs[0].events_max, 7u);
    EXPECT_TRUE(f->legs[0].reads[0].positive);
    EXPECT_TRUE(f->legs[0].reads[1].names_currency);
    EXPECT_EQ(
        complaints(leg("revises: [amuont]")),
        (V{"f.yaml:9:15: revises: 'amuont' is no read of leg 'pay'; did you mean 'amount'?"}));
    EXPECT_EQ(complaints(leg("revises: [note, note]")),
              (V{"f.yaml:9:21: revises: 'note' stands here twice; keep one of them"}));
    EXPECT_EQ(complaints(leg("revises: [money]")),
              (V{"f.yaml:9:15: revises: 'money' names a currency, which no later event may change; "
                 "remove it"}));
    EXPECT_EQ(complaints(leg("revises: [status]")),
              (V{"f.yaml:9:15: revises: 'status' is no read of leg 'pay'; remove it: a status may "
                 "always change"}));
    for (const std::string bad : {"0", "1000001", "many", "1.5", "-1", "[1]"}) {
        EXPECT_EQ(complaints(leg("events_max: " + bad)),
                  (V{"f.yaml:9:17: events_max must be a whole number from 1 to 1000000; write for "
                     "example  events_max: 100000"}));
    }
    EXPECT_EQ(complaints(with(leg("optional: false"), "first: [n]", "sign: positive, first: [n]")),
              (V{"f.yaml:13:32: only a decimal has a sign; remove it, or write  type: decimal"}));
    EXPECT_EQ(complaints(with(leg("optional: false"), "sign: positive", "sign: positiv")),
              (V{"f.yaml:11:54: unknown sign 'positiv'; did you mean 'positive'?"}));
    EXPECT_EQ(complaints(leg("sequence: [\"items[].n\"]")).size(), 1u);
}

TEST(Flow, statuses_are_compared_by_their_letters) {
    EXPECT_EQ(status_word("requires_capture"), "REQUIRESCAPTURE");
    EXPECT_EQ(status_word(" Sent for-settlement\n"), "SENTFORSETTLEMENT");
    EXPECT_EQ(status_word("bezahlt_für"), "BEZAHLTFüR");
    EXPECT_EQ(complaints("flow: f\nversion: 1\nkey: {paths: [id]}\nlegs:\n  pay: {source: any, "
                         "type: P, deadline: 5s, status: {paths: [s], "
                         "counts: [SENT_IN], does_not_count: [SentIn]}}\n")
                  .size(),
              1u);
}

TEST(Flow, durations_have_no_cap_but_forever) {
    EXPECT_EQ(parse_flow(with(small, "deadline: 1m30s", "deadline: 100000d"), "f.yaml")
                  ->longest_deadline(),
              std::chrono::hours(24 * 100'000));
    const auto f = parse_flow(
        "amend_for: forever\n" + with(small, "deadline: 1m30s", "deadline: forever"), "f.yaml");
    ASSERT_TRUE(f) << f.error().message();
    EXPECT_EQ(f->longest_deadline(), forever);
    EXPECT_EQ(f->amend_for, forever);
    EXPECT_EQ(complaints(with(small, "deadline: 1m30s", "deadline: for ever")).size(), 1u);
    EXPECT_EQ(complaints(with(small, "deadline: 1m30s", "deadline: 200000d")).size(), 1u);
}

TEST(Flow, a_leg_may_wait_while_its_source_is_silent) {
    const auto waiting = [](const std::string& more) {
        return more + with(small, "deadline: 1m30s", "deadline: 1m30s, on_silence: wait");
    };
    const auto f = parse_flow(waiting(""), "f.yaml");
    ASSERT_TRUE(f) << f.error().message();
    EXPECT_EQ(f->longest_silence(), std::chrono::hours(6));
    EXPECT_EQ(parse_flow(waiting("silence_max: 10m\n"), "f.yaml")->longest_silence(),
              std::chrono::minutes(10));
    EXPECT_EQ(complaints(waiting("silence_max: soon\n")).size(), 1u);
    EXPECT_EQ(parse_flow(small, "f.yaml")->longest_silence(), Duration::zero());
    EXPECT_EQ(complaints(with(small, "deadline: 1m30s", "deadline: 1m30s, on_silence: go")).size(),
              1u);
    EXPECT_EQ(complaints("flow: f\nversion: 1\nkey: {paths: [id]}\nlegs:\n  pay: {source: any, "
                         "type: P, deadline: 5s, on_silence: wait}\n")
                  .size(),
              1u)
        << "any source is never silent";
}

TEST(Flow, a_time_path_may_declare_its_unit) {
    const std::string timed =
        "occurred: [{path: made.at, unit: s}, created, {path: envelope.time, unit: us}]\n" +
        std::string(small);
    const auto f = parse_flow(timed, "f.yaml");
    ASSERT_TRUE(f) << f.error().message();
    const auto& occurred = f->legs[0].occurred;
    ASSERT_EQ(occurred.size(), 3u);
    EXPECT_EQ(occurred[0].path.text(), "made.at");
    EXPECT_EQ(occurred[0].unit, EpochUnit::seconds);
    EXPECT_EQ(occurred[1].unit, std::nullopt);
    EXPECT_TRUE(occurred[2].envelope);
    EXPECT_EQ(occurred[2].unit, EpochUnit::microseconds);
    EXPECT_EQ(complaints(with(timed, "unit: s}", "unit: sec}")),
              (std::vector<std::string>{
                  "f.yaml:1:34: unknown unit of time 'sec'; one of s, ms, us, ns"}));
    EXPECT_EQ(complaints(with(timed, "unit: s}", "units: s}")).size(), 2u);
    EXPECT_EQ(complaints(with(timed, "{path: made.at, unit: s}", "{unit: s}")).size(), 1u);
    EXPECT_EQ(complaints(with(timed, "path: made.at", "path: \"made[]\"")).size(), 1u);
}

TEST(Flow, order_of_keys_does_not_matter_to_references) {
    EXPECT_TRUE(
        complaints(
            "checks: {same: {kind: equal, expected: left.n, actual: right.n}}\n" +
            with(small, "checks:\n  same: {kind: equal, expected: left.n, actual: right.n}\n", ""))
            .empty());
}

}  // namespace
}  // namespace helios::reconcile
