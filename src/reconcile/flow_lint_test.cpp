// Slips that people make in a flow file: each is named at its place, all of them at once.
#include <gtest/gtest.h>

#include "reconcile/flow.h"

namespace helios::reconcile {
namespace {

constexpr const char* good =
    "flow: pair\n"                                                                             // 1
    "version: 1\n"                                                                             // 2
    "currency: EUR\n"                                                                          // 3
    "anchor: order\n"                                                                          // 4
    "key: {paths: [orderId]}\n"                                                                // 5
    "legs:\n"                                                                                  // 6
    "  order:\n"                                                                               // 7
    "    source: aws\n"                                                                        // 8
    "    type: OrderPlaced\n"                                                                  // 9
    "    deadline: 60s\n"                                                                      // 10
    "    read:\n"                                                                              // 11
    "      amount: {type: decimal, currency: currency, first: [total]}\n"                      // 12
    "      currency: {type: text, first: [currency]}\n"                                        // 13
    "      items: {type: items, first: [{each: \"items[]\", key: [sku], quantity: [qty]}]}\n"  // 14
    "  payment:\n"                                                                             // 15
    "    source: gcp\n"                                                                        // 16
    "    type: PaymentProcessed\n"                                                             // 17
    "    deadline: 60s\n"                                                                      // 18
    "    status: {paths: [status], counts: [PAID], does_not_count: [VOIDED]}\n"                // 19
    "    read:\n"                                                                              // 20
    "      amount: {type: decimal, first: [amount]}\n"                                         // 21
    "checks:\n"                                                                                // 22
    "  paid: {kind: amount, expected: order.amount, actual: payment.amount, tolerance: 0.01}\n"
    "  skew: {kind: skew, max: 30s, legs: [order, payment]}\n"  // 24
    "at_risk: [order.amount]\n";                                // 25

std::string with(std::string_view from, std::string_view to) {
    std::string text = good;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

std::string told(const std::vector<Error>& errors) {
    std::string out;
    for (const auto& error : errors) {
        out += error.message() + "\n";
    }
    return out;
}

struct Slip {
    std::string_view from, to, complaint;
};

TEST(FlowLint, the_good_one_is_good) {
    const auto reading = read_flow(good, "f");
    EXPECT_EQ(told(reading.errors) + told(reading.warnings), "");
    const auto shipped = read_flow(shipped_order_flow(), "order.yaml");
    EXPECT_EQ(told(shipped.errors) + told(shipped.warnings), "");
}

TEST(FlowLint, slips_that_are_errors) {
    for (const auto& [from, to, complaint] : std::vector<Slip>{
             {"type: OrderPlaced", "type: any",
              "f:9:11: type 'any' is no wildcard: it is one event type of that name; write the "
              "event type that leg 'order' waits "
              "for; "
              "only source can be any"},
             {"type: OrderPlaced", "type: \"*\"", "f:9:11: type '*' is no wildcard"},
             {"source: aws", "source: [aws, any]", "f:8:19: source 'any' is no wildcard here"},
             {"source: aws", "source: Any", "f:8:13: source 'Any' is no wildcard here"},
             {"source: aws", "source: []", "f:8:13: source is empty"},
             {"source: aws\n", "source:\n", "f:8:5: source is empty"},
             {"currency: EUR", "currency: EURO",
              "f:3:11: currency 'EURO' is not three letters; write an ISO 4217 code, for example  "
              "EUR"},
             {"currency: EUR", "currency: 978", "f:3:11: currency '978' is not three letters"},
             {"first: [total]", "first: [1]",
              "f:12:59: '1' is a number, no path; write the name of a member; put one that looks "
              "so into quotes"},
             {"first: [total]", "first: [0.5]", "f:12:59: '0.5' is a number, no path"},
             {"paths: [orderId]", "paths: [1]", "f:5:15: '1' is a number, no path"},
             {"paths: [status]", "paths: 7", "f:19:21: '7' is a number, no path"},
             {"first: [total]", "first: []", "is empty; name at least one"},
             {"expected: order.amount", "expected: payment.amount",
              "f:23:58: expected and actual are both 'payment.amount': such a check never fails; "
              "name the reads of two legs"},
             {"actual: payment.amount", "actual: order.currency",
              "f:23:56: 'order.currency' is a text, and a decimal is needed here"},
             {"actual: payment.amount", "actual: order.items",
              "f:23:56: 'order.items' is items, and a decimal is needed here"},
             {"actual: payment.amount", "actual: payment.amout",
              "f:23:56: 'payment.amout' is no read of a leg; a decimal is needed here; did you "
              "mean 'payment.amount'?"},
             {"kind: amount", "kind: quantity",
              "f:23:58: 'payment.amount' is a decimal, and items is needed here; one of "
              "order.items"},
             {"kind: amount, expected: order.amount, actual: payment.amount, tolerance: 0.01",
              "kind: equal, expected: order.currency, actual: payment.amount",
              "expected and actual are of different types: a text and a decimal; compare like with "
              "like"},
             {"tolerance: 0.01", "tolerance: -0.01",
              "f:23:83: tolerance '-0.01' is not a decimal of 0 or more"},
             {"tolerance: 0.01", "tolerance: 0.01 EUR",
              "f:23:83: tolerance '0.01 EUR' is not a decimal of 0 or more"},
             {"legs: [order, payment]", "legs: [order]",
              "f:24:38: skew over one leg never fails; name two or more"},
             {"legs: [order, payment]", "legs: [order, order]", "skew over one leg never fails"},
             {"legs: [order, payment]", "legs: [order, paymnet]",
              "f:24:46: 'paymnet' is no leg of this flow; did you mean 'payment'?"},
             {"anchor: order", "anchor: ordre",
              "f:4:9: anchor 'ordre' is no leg of this flow; did you mean 'order'?"},
             {"at_risk: [order.amount]", "at_risk: [order.currency]",
              "f:25:11: 'order.currency' is a text, and a decimal is needed here"},
             {"at_risk: [order.amount]", "at_risk: []", "f:25:10: at_risk is empty"},
             {"counts: [PAID]", "counts: [voided]", "both counts and does not count"},
             {"deadline: 60s", "deadline: -60s", "f:10:15: deadline: '-60s' is not a duration"},
             {"deadline: 60s", "deadline:", "f:10:5: deadline"},
             {"max: 30s", "max: 30", "f:24:27: max: '30' is not a duration"},
             {"    type: OrderPlaced", "\ttype: OrderPlaced", "f:9:1: a tab in the indentation"},
             {"version: 1", "version 1", "f:2:8: a ':' is missing after 'version'"},
             {"  payment:\n", "  payment\n", "f:15:10: a ':' is missing after 'payment'"},
             {"key: {paths: [orderId]}", "key {paths: [orderId]}",
              "f:5:4: a ':' is missing after 'key'"},
             {"key: {paths: [orderId]}", "key: {paths: [orderId}",
              "f:5:22: '}' where ']' is needed"},
             {"each: \"items[]\"", "each: items[]",
              "'[]' within brackets; put the path into quotes"},
             {"    deadline: 60s\n    read", "      deadline: 60s\n    read",
              "f:10:7: indented below 'type', which has a value already"},
             {"version: 1\n", "version: 1\nversion: 2\n",
              "f:3:1: the key 'version' occurs twice; first in line 2"},
             {"at_risk: [order.amount]\n", "at_risk: [order.amount]\n---\nflow: two\n",
              "a second document in one file"},
         }) {
        const auto reading = read_flow(with(from, to), "f");
        EXPECT_NE(told(reading.errors).find(complaint), std::string::npos) << to << "\n"
                                                                           << told(reading.errors);
        EXPECT_FALSE(reading.flow) << to;
    }
}

TEST(FlowLint, what_may_be_meant_is_a_warning) {
    for (const auto& [from, to, complaint] : std::vector<Slip>{
             {"currency: EUR", "currency: eur",
              "f:3:11: warning: currency 'eur' is taken as EUR; write  EUR"},
             {"currency: EUR", "currency: EUX",
              "f:3:11: warning: currency EUX is not one that ISO 4217 lists: each amount in it "
              "gets a data warning; write an ISO "
              "4217 code, for example  EUR"},
             {"source: aws", "source: AWS", "f:8:13: warning: source 'AWS' is not 'aws'"},
             {"source: aws", "source: [aws, aws]",
              "f:8:19: warning: source 'aws' stands here twice"},
             {"type: OrderPlaced", "type: OrderPlacd",
              "f:9:11: warning: event type 'OrderPlacd' is not in the shipped catalogue, "
              "'OrderPlaced' is; did you mean "
              "'OrderPlaced'?"},
             {"source: gcp\n    type: PaymentProcessed", "source: aws\n    type: OrderPlaced",
              "f:15:3: warning: leg 'payment' wants the same events as leg 'order'"},
             {"deadline: 60s", "deadline: 0s", "f:10:15: warning: deadline 0"},
             {"at_risk: [order.amount]", "at_risk: [order.amount, order.amount]",
              "f:25:25: warning: at_risk has 'order.amount' twice"},
             {"counts: [PAID]", "counts: [PAID, PAID]",
              "f:19:46: warning: counts has 'PAID' twice"},
             {"first: [amount]", "first: [amount, amount]",
              "f:21:47: warning: first has 'amount' twice"},
         }) {
        const auto reading = read_flow(with(from, to), "f");
        EXPECT_EQ(told(reading.errors), "") << to;
        EXPECT_EQ(told(reading.warnings).find(complaint), 0u) << to << "\n"
                                                              << told(reading.warnings);
        EXPECT_TRUE(reading.flow) << to;
    }
    EXPECT_EQ(read_flow(with("currency: EUR", "currency: eur"), "f").flow->currency, "EUR");
    EXPECT_EQ(told(read_flow(with("first: [total]", "first: [\"1\"]"), "f").errors), "")
        << "in quotes it is a name";
}

TEST(FlowLint, all_at_once) {
    std::string text = good;
    for (const auto& [from, to] : std::vector<std::pair<std::string_view, std::string_view>>{
             {"version: 1", "version: one"},
             {"currency: EUR", "currency: EURO"},
             {"anchor: order", "anchor: ordre"},
             {"type: OrderPlaced", "type: any"},
             {"first: [total]", "first: [1]"},
             {"tolerance: 0.01", "tolerance: -1"},
             {"max: 30s", "max: soon"},
             {"at_risk: [order.amount]", "at_risk: [order.currency]\nat_risk: []\nnonsense: 1"}}) {
        text.replace(text.find(from), from.size(), to);
    }
    const auto reading = read_flow(text, "f");
    EXPECT_EQ(reading.errors.size(), 10u) << told(reading.errors);
    for (const auto& error : reading.errors) {
        EXPECT_EQ(error.what.find("f:"), 0u) << error.what;
        EXPECT_NE(error.hint, "") << error.what;
    }
}

TEST(FlowLint, line_ends_and_a_mark_of_other_systems) {
    std::string windows = "\xef\xbb\xbf";
    for (const char c : std::string_view(good)) {
        windows += c == '\n' ? "\r\n" : std::string(1, c);
    }
    EXPECT_EQ(told(read_flow(windows, "f").errors), "");
}

}  // namespace
}  // namespace helios::reconcile
