#include "telemetry/trace_context.h"

#include <gtest/gtest.h>

namespace helios::telemetry {
namespace {

const std::string trace = "0af7651916cd43dd8448eb211c80319c";
const std::string parent = "b7ad6b7169203331";

TEST(TraceContext, reads_and_writes_version00) {
    const auto context = parse_traceparent("00-" + trace + "-" + parent + "-01");
    ASSERT_TRUE(context);
    EXPECT_EQ(context->trace_id, trace);
    EXPECT_EQ(context->parent_id, parent);
    EXPECT_EQ(context->flags, 1u);
    EXPECT_EQ(context->to_traceparent(), "00-" + trace + "-" + parent + "-01");
}

TEST(TraceContext, passes_known_flags_only_on) {
    EXPECT_EQ(parse_traceparent("00-" + trace + "-" + parent + "-ff")->to_traceparent(),
              "00-" + trace + "-" + parent + "-03");
    EXPECT_EQ(parse_traceparent("00-" + trace + "-" + parent + "-02")->to_traceparent(),
              "00-" + trace + "-" + parent + "-02");
}

TEST(TraceContext, reads_the_first_fields_of_a_higher_version) {
    for (const std::string& header : {"cc-" + trace + "-" + parent + "-01",
                                      "01-" + trace + "-" + parent + "-01-what-comes-later",
                                      "cc-" + trace + "-" + parent + "-01-"}) {
        const auto context = parse_traceparent(header);
        ASSERT_TRUE(context) << header;
        EXPECT_EQ(context->to_traceparent(), "00-" + trace + "-" + parent + "-01");
    }
}

TEST(TraceContext, ignores_everything_else) {
    const std::string zeros(32, '0');
    const std::string good = "00-" + trace + "-" + parent + "-01";
    std::string upper = good;
    upper[5] = 'A';
    for (const std::string& bad : {std::string(),
                                   std::string("00"),
                                   "ff-" + trace + "-" + parent + "-01",
                                   upper,
                                   "00-" + zeros + "-" + parent + "-01",
                                   "00-" + trace + "-" + zeros.substr(0, 16) + "-01",
                                   good + "-",
                                   good + "0",
                                   good + "-more",
                                   good.substr(0, 54),
                                   "0-" + good,
                                   " " + good,
                                   good + " ",
                                   "cc-" + trace + "-" + parent + "-01.",
                                   "cc-" + trace + "-" + parent + "-0102",
                                   "0x-" + trace + "-" + parent + "-01",
                                   "00_" + trace + "-" + parent + "-01",
                                   "00-" + trace + "_" + parent + "-01",
                                   "00-" + trace + "-" + parent + "_01",
                                   "00-" + trace + "-" + parent + "-0g",
                                   "00-" + trace.substr(1) + "--" + parent + "-01",
                                   "000-" + trace + "-" + parent + "-1"}) {
        EXPECT_FALSE(parse_traceparent(bad)) << bad;
    }
    for (std::size_t n = 0; n < good.size(); ++n) {
        EXPECT_FALSE(parse_traceparent(good.substr(0, n))) << n;
    }
}

}  // namespace
}  // namespace helios::telemetry
