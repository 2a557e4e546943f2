#include "reconcile/flow.h"

#include <gtest/gtest.h>

namespace helios::reconcile {
namespace {

constexpr const char* small =
    "flow: pair\nversion: 3\nkey: {paths: [id]}\nlegs:\n"
    "  left: {source: any, type: L, deadline: 5s, read: {n: {type: decimal, first: [n]}, t: {type: text, first: [t]}}}\n"
    "  right: {source: [a, b], type: R, deadline: 1m30s, optional: true, cardinality: many, key: [lid], identity: event, read: "
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

TEST(Flow, TheShippedOrderFlowReads) {
    const auto reading = read_flow(shipped_order_flow(), "flows/order.yaml");
    for (const Error& e : reading.errors) {
        ADD_FAILURE() << e.message();
    }
    ASSERT_TRUE(reading.flow);
    const Flow& f = *reading.flow;
    EXPECT_EQ(f.name, "order");
    EXPECT_EQ(f.version, 1u);
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

TEST(Flow, ADeclaredFlowHasWhatItDeclares) {
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

TEST(Flow, ComplaintsNamePlaceAndRemedy) {
    using V = std::vector<std::string>;
    EXPECT_EQ(complaints(with(small, "deadline: 5s", "deadlin: 5s")),
              (V{"f.yaml:5:32: unknown key 'deadlin' in leg 'left'; did you mean 'deadline'?",
                 "f.yaml:5:9: 'deadline' is missing; add for example  deadline: 60s"}));
    EXPECT_EQ(complaints(with(small, "5s", "5")),
              (V{"f.yaml:5:42: deadline: '5' is not a duration; write a number with a unit: 250ms, 60s, 5m, 2h, 31d"}));
    EXPECT_EQ(complaints(with(small, "left.n", "left.m")),
              (V{"f.yaml:8:33: 'left.m' is no read of a leg; did you mean 'left.n'?"}));
    EXPECT_EQ(complaints(with(small, "kind: equal", "kind: amonut")),
              (V{"f.yaml:8:16: unknown kind 'amonut'; did you mean 'amount'?"}));
    EXPECT_EQ(complaints(with(small, "version: 3", "version: 1.0")),
              (V{"f.yaml:2:10: version '1.0' is not a whole number of 1 or more; raise it with every change"}));
    EXPECT_EQ(complaints(with(small, "paths: [id]", "paths: [a..b]")).at(0).rfind("f.yaml:3:15: bad path \"a..b\"", 0), 0u);
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

TEST(Flow, OrderOfKeysDoesNotMatterToReferences) {
    EXPECT_TRUE(complaints("checks: {same: {kind: equal, expected: left.n, actual: right.n}}\n" +
                           with(small, "checks:\n  same: {kind: equal, expected: left.n, actual: right.n}\n", ""))
                    .empty());
}

}  // namespace
}  // namespace helios::reconcile
