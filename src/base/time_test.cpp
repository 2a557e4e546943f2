#include "base/time.h"

#include <gtest/gtest.h>
#include <limits>
#include <rapidcheck/gtest.h>

#include "base/forever.h"

namespace helios {
namespace {

using namespace std::chrono_literals;

std::string reformat(std::string_view text) {
    const auto parsed = parse_rfc3339(text);
    return parsed ? format_rfc3339(parsed->at) : "refused: " + parsed.error().what;
}

TEST(Time, reads_every_rfc3339_form) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"2026-01-05T10:23:45.120Z", "2026-01-05T10:23:45.120Z"},
        {"2026-01-05T10:23:45Z", "2026-01-05T10:23:45.000Z"},
        {"2026-01-05t10:23:45z", "2026-01-05T10:23:45.000Z"},
        {"2026-01-05 10:23:45Z", "2026-01-05T10:23:45.000Z"},
        {"2026-01-05T10:23:45.1Z", "2026-01-05T10:23:45.100Z"},
        {"2026-01-05T10:23:45.120001Z", "2026-01-05T10:23:45.120001Z"},
        {"2026-01-05T10:23:45.1200010Z", "2026-01-05T10:23:45.120001Z"},
        {"2026-01-05T10:23:45.123456789Z", "2026-01-05T10:23:45.123456789Z"},
        {"2026-01-05T10:23:45.1234567899999999999999Z", "2026-01-05T10:23:45.123456789Z"},
        {"2026-01-05T10:23:45+02:00", "2026-01-05T08:23:45.000Z"},
        {"2026-01-05T10:23:45+0200", "2026-01-05T08:23:45.000Z"},
        {"2026-01-05T10:23:45-00:00", "2026-01-05T10:23:45.000Z"},
        {"2026-01-05T23:30:00-05:30", "2026-01-06T05:00:00.000Z"},
        {"2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00.000Z"},
        {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"},
        {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"},
        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"},
        {"1969-12-31T23:00:00-01:00", "1970-01-01T00:00:00.000Z"},
        {"2199-12-31T23:59:59.999999999Z", "2199-12-31T23:59:59.999999999Z"},
        {"2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999999Z"},
        {"2016-12-31T15:59:60.5-08:00", "2016-12-31T23:59:59.999999999Z"},
    };
    for (const auto& [text, expected] : cases) {
        EXPECT_EQ(reformat(text), expected) << text;
    }
}

TEST(Time, notes_a_missing_zone) {
    const auto bare = parse_rfc3339("2026-01-05T10:23:45.5");
    ASSERT_TRUE(bare);
    EXPECT_FALSE(bare->had_zone);
    EXPECT_EQ(format_rfc3339(bare->at), "2026-01-05T10:23:45.500Z");
    EXPECT_TRUE(parse_rfc3339("2026-01-05T10:23:45Z")->had_zone);
    EXPECT_TRUE(parse_rfc3339("2026-01-05T10:23:45+00:00")->had_zone);
}

TEST(Time, refuses_everything_else) {
    for (const std::string_view bad : {"",
                                       " ",
                                       "2026",
                                       "2026-01-05",
                                       "2026-01-05T",
                                       "2026-01-05T10:23",
                                       "2026-01-05T10:23Z",
                                       "2026-1-05T10:23:45Z",
                                       "2026-01-05T10:23:45.Z",
                                       "2026-01-05T10:23:45,5Z",
                                       " 2026-01-05T10:23:45Z",
                                       "2026-01-05T10:23:45Z ",
                                       "2026-01-05T10:23:45ZZ",
                                       "2026-01-05T10:23:45+2",
                                       "2026-01-05T10:23:45+02",
                                       "2026-01-05T10:23:45+02:",
                                       "2026-01-05T10:23:45+02:0",
                                       "2026-01-05T10:23:45+24:00",
                                       "2026-01-05T10:23:45+02:60",
                                       "2026-01-05T10:23:45+02:00Z",
                                       "2026-01-05X10:23:45Z",
                                       "2026-00-05T10:23:45Z",
                                       "2026-13-05T10:23:45Z",
                                       "2026-01-00T10:23:45Z",
                                       "2026-01-32T10:23:45Z",
                                       "2026-02-29T10:23:45Z",
                                       "2100-02-29T10:23:45Z",
                                       "2026-04-31T00:00:00Z",
                                       "2026-01-05T24:00:00Z",
                                       "2026-01-05T10:60:45Z",
                                       "2026-01-05T10:23:61Z",
                                       "2026-01-05T10:23:60Z",
                                       "2016-12-31T23:59:60+01:00",
                                       "+2026-01-05T10:23:45Z",
                                       "-026-01-05T10:23:45Z",
                                       "12026-01-05T10:23:45Z",
                                       "2026-01-05T-1:23:45Z",
                                       "2026-01-05T10:23:4\xd9\xa5Z",
                                       "now",
                                       "1767608625",
                                       "1e9",
                                       "NaN",
                                       "null"}) {
        const auto parsed = parse_rfc3339(bad);
        EXPECT_FALSE(parsed) << bad;
        if (!parsed) {
            EXPECT_EQ(parsed.error().kind, ErrorKind::invalid);
        }
    }
    EXPECT_FALSE(parse_rfc3339(std::string_view("2026-01-05T10:23:45Z\0", 21)));
    EXPECT_FALSE(parse_rfc3339(std::string_view("2026-01-05\00010:23:45Z", 20)));
}

TEST(Time, refuses_times_no_source_can_mean) {
    for (const std::string_view bad :
         {"1969-12-31T23:59:59.999999999Z", "2200-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
          "9999-12-31T23:59:59Z", "1970-01-01T00:59:59+01:00", "2199-12-31T23:00:00-01:00",
          "1583-01-01T00:00:00Z"}) {
        const auto parsed = parse_rfc3339(bad);
        ASSERT_FALSE(parsed) << bad;
        EXPECT_NE(parsed.error().what.find("1970"), std::string::npos) << parsed.error().what;
    }
}

TEST(Time, writes_the_fewest_fraction_digits_that_lose_nothing) {
    EXPECT_EQ(format_rfc3339(from_nanos(0)), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(format_rfc3339(from_nanos(1'000'000)), "1970-01-01T00:00:00.001Z");
    EXPECT_EQ(format_rfc3339(from_nanos(1'000)), "1970-01-01T00:00:00.000001Z");
    EXPECT_EQ(format_rfc3339(from_nanos(1)), "1970-01-01T00:00:00.000000001Z");
    EXPECT_EQ(format_rfc3339(from_nanos(-1)), "1969-12-31T23:59:59.999999999Z");
    EXPECT_EQ(format_rfc3339(from_nanos(std::numeric_limits<std::int64_t>::max())),
              "2262-04-11T23:47:16.854775807Z");
    EXPECT_EQ(format_rfc3339(from_nanos(std::numeric_limits<std::int64_t>::min())),
              "1677-09-21T00:12:43.145224192Z");
}

TEST(Time, later_never_overflows) {
    const Instant noon = parse_rfc3339("2026-01-05T12:00:00Z")->at;
    EXPECT_EQ(later(noon, 90s), noon + 90s);
    EXPECT_EQ(later(noon, 0s), noon);
    EXPECT_EQ(later(noon, forever), never);
    EXPECT_EQ(later(noon, 106'751 * 24h), never)
        << "in the year 2318, which int64 nanoseconds do not reach";
    EXPECT_EQ(later(never, 0s), never);
    EXPECT_EQ(later(never, 1s), never);
    EXPECT_EQ(later(from_nanos(-5), 3ns), from_nanos(-2));
    EXPECT_EQ(later(Instant::min(), forever), never);
}

RC_GTEST_PROP(TimeProperty, reads_back_what_it_writes, ()) {
    const auto nanos = *rc::gen::inRange<std::int64_t>(0, to_nanos(latest_instant));
    const auto parsed = parse_rfc3339(format_rfc3339(from_nanos(nanos)));
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(to_nanos(parsed->at) == nanos);
}

TEST(Duration, reads_units_compounds_and_fractions) {
    const std::pair<std::string_view, Duration> cases[] = {
        {"250ms", 250ms},
        {"60s", 60s},
        {"5m", 5min},
        {"2h", 2h},
        {"31d", 31 * 24h},
        {"1m30s", 90s},
        {"1.5s", 1500ms},
        {"0s", 0s},
        {"0.000000001s", 1ns},
        {"7us", 7us},
        {"9ns", 9ns},
        {"1d2h3m4s5ms6us7ns", 24h + 2h + 3min + 4s + 5ms + 6us + 7ns},
        {"1.50s", 1500ms},
        {"007s", 7s},
        {"0.5m", 30s},
        {"9223372036854775807ns", Duration::max()},
        {"106751d", 106'751 * 24h},
        {"1.0000000000000000000s", 1s}};
    for (const auto& [text, expected] : cases) {
        const auto parsed = parse_duration(text);
        ASSERT_TRUE(parsed) << text << ": " << parsed.error().what;
        EXPECT_EQ(*parsed, expected) << text;
    }
}

TEST(Duration, refuses_everything_else) {
    for (const std::string_view bad : {"",
                                       "s",
                                       "60",
                                       "-5s",
                                       "+5s",
                                       "5 s",
                                       " 5s",
                                       "5s ",
                                       "5x",
                                       "5S",
                                       "5sec",
                                       "1s1m",
                                       "1s1s",
                                       ".5s",
                                       "5.s",
                                       "1..5s",
                                       "1e3s",
                                       "0x5s",
                                       "9223372036854775808ns",
                                       "106752d",
                                       "106751d24h",
                                       "99999999999999999999999999999999999999999s",
                                       "0.5ns",
                                       "0.0000000001s",
                                       "1.0001us",
                                       "inf",
                                       "\xc2\xb5s"}) {
        EXPECT_FALSE(parse_duration(bad)) << bad;
    }
    EXPECT_FALSE(parse_duration(std::string_view("5s\0", 3)));
}

TEST(Duration, writes_one_readable_form) {
    EXPECT_EQ(format_duration(0s), "0s");
    EXPECT_EQ(format_duration(60s), "1m");
    EXPECT_EQ(format_duration(90s), "90s");
    EXPECT_EQ(format_duration(250ms), "250ms");
    EXPECT_EQ(format_duration(1500ms), "1.5s");
    EXPECT_EQ(format_duration(31 * 24h), "31d");
    EXPECT_EQ(format_duration(36h), "36h");
    EXPECT_EQ(format_duration(1ns), "1ns");
    EXPECT_EQ(format_duration(-90s), "-90s");
    EXPECT_EQ(format_duration(Duration::min()), "-9223372036.854775808s");
}

RC_GTEST_PROP(DurationProperty, reads_back_what_it_writes, ()) {
    const auto unit = *rc::gen::element<std::int64_t>(1, 1'000, 1'000'000, 1'000'000'000,
                                                      60'000'000'000, 3'600'000'000'000);
    const Duration d{*rc::gen::inRange<std::int64_t>(0, 2'000'000) * unit};
    const auto parsed = parse_duration(format_duration(d));
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(*parsed == d);
}

}  // namespace
}  // namespace helios
