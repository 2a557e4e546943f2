#include "reconcile/router.h"

#include <gtest/gtest.h>

#include "reconcile/activate.h"
#include "reconcile/test_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;

constexpr Duration day = std::chrono::hours(24);

model::FlowActivation version(std::uint32_t n) {
    std::string text = order_flow()->text;
    text.replace(text.find("version: 2"), 10, "version: " + std::to_string(n));
    const auto flow = parse_flow(text, "order.yaml");
    HELIOS_ASSERT(flow.has_value(), "the shipped flow with another version is a flow");
    return activation_of(default_tenant(), *flow);
}

std::size_t legs(Router& router, Instant when) {
    const auto e = event("aws", "OrderPlaced", "o", good_order, when);
    const auto payload = json::Document::parse(e.payload);
    std::size_t keyless = 0;
    return router.on_event(e, payload->root(), {{}, when}, keyless).size();
}

TEST(Router, an_old_version_is_extracted_until_its_last_case_has_outlived_amend_for) {
    Router router;
    ASSERT_TRUE(router.activate(version(1), noon(0)));
    ASSERT_TRUE(router.activate(version(2), noon(10)));
    EXPECT_EQ(legs(router, noon(70) + 31 * day), 2u);
    EXPECT_EQ(legs(router, noon(70) + 31 * day + Duration(1)), 1u);
}

TEST(Router, a_version_that_amends_for_ever_never_retires) {
    Router router;
    auto first = version(1);
    first.text.replace(first.text.find("amend_for: 31d"), 14, "amend_for: forever");
    ASSERT_TRUE(router.activate(first, noon(0)));
    ASSERT_TRUE(router.activate(version(2), noon(10)));
    router.take_absence({noon(90), noon(100), std::chrono::seconds(30), {}, {}, {}});
    EXPECT_EQ(legs(router, noon(20) + 80'000 * day), 2u);
}

TEST(Router, a_key_with_nul_is_no_key) {
    Router router;
    ASSERT_TRUE(router.activate(version(1), noon(0)));
    const auto e = event("aws", "OrderPlaced", "o", R"({"orderId":"A\u0000B"})", noon(1));
    const auto payload = json::Document::parse(e.payload);
    std::size_t keyless = 0;
    EXPECT_TRUE(router.on_event(e, payload->root(), {{}, noon(1)}, keyless).empty());
    EXPECT_EQ(keyless, 1u);
}

TEST(Router, versions_retired_by_time_no_longer_count_though_no_event_came) {
    // A restart reads activations without the events between them.
    Router router;
    for (std::uint32_t n = 1; n <= 5; ++n) {
        ASSERT_TRUE(router.activate(version(n), noon(0) + n * 40 * day)) << n;
    }
    EXPECT_EQ(router.active().size(), 2u);
}

TEST(Router, an_absence_does_not_bring_back_what_had_retired) {
    Router router;
    ASSERT_TRUE(router.activate(version(1), noon(0)));
    ASSERT_TRUE(router.activate(version(2), noon(10)));
    router.take_absence(
        {noon(0) + 40 * day, noon(0) + 41 * day, std::chrono::seconds(30), {}, {}, {}});
    EXPECT_EQ(legs(router, noon(0) + 41 * day), 1u);
}

TEST(Router, a_case_whose_deadline_an_absence_moved_stays_amendable) {
    Router router;
    ASSERT_TRUE(router.activate(version(1), noon(0)));
    router.take_absence(away(1, 5));  // a case of noon(0.5) now waits until noon(94.5)
    ASSERT_TRUE(router.activate(version(2), noon(10)));
    EXPECT_EQ(legs(router, noon(94.5) + 31 * day), 2u);
    EXPECT_EQ(legs(router, noon(110) + 31 * day), 1u);
}

}  // namespace
}  // namespace helios::reconcile
