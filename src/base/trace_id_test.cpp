#include "base/trace_id.h"

#include <gtest/gtest.h>

namespace helios {
namespace {

TEST(TraceId, is_read_from_its_digits_and_from_a_traceparent) {
    const std::string digits = "0af7651916cd43dd8448eb211c80319c";
    EXPECT_EQ(to_hex(trace_id_of(digits)), digits);
    EXPECT_EQ(trace_id_of("00-" + digits + "-b7ad6b7169203331-01"), trace_id_of(digits));
    EXPECT_TRUE(trace_id_of(digits));
}

TEST(TraceId, anything_else_is_none) {
    const std::string digits = "0af7651916cd43dd8448eb211c80319c";
    for (const std::string& text :
         {std::string(), std::string(32, '0'), digits.substr(1), digits + "0",
          "0AF7651916CD43DD8448EB211C80319C" + std::string(),
          "00-" + digits.substr(1) + "-b7ad6b7169203331-01", "00-" + digits + "x",
          std::string(32, 'g')}) {
        EXPECT_FALSE(trace_id_of(text)) << text;
    }
}

}  // namespace
}  // namespace helios
