#include "base/claimed_time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace helios {
namespace {

using State = ClaimedTime::State;

/// "taken 2026-…" or "ambiguous: why", of a claim as it stands in JSON.
std::string claim(std::string_view json, std::string_view unit = {}) {
    const auto document = json::Document::parse(json);
    if (!document) {
        return "not JSON";
    }
    const auto time = claimed_time(document->root(), parse_epoch_unit(unit));
    switch (time.state) {
        case State::absent:
            return "absent";
        case State::taken:
            return "taken " + format_rfc3339(time.at) + (time.had_zone ? "" : " no zone");
        case State::unreadable:
            return "unreadable: " + time.why;
        case State::ambiguous:
            return "ambiguous: " + time.why;
        case State::no_time:
            return "no time: " + time.why;
    }
    return {};
}

struct Row {
    std::string_view json;
    std::string_view unit;
    std::string_view expected;
};

TEST(ClaimedTime, texts) {
    for (
        const Row& row : std::initializer_list<Row>{
            {R"("2026-01-05T10:23:45.120Z")", "", "taken 2026-01-05T10:23:45.120Z"},
            {R"("2026-01-05T10:23:45.120Z")", "s", "taken 2026-01-05T10:23:45.120Z"},
            {R"("2026-01-05 10:23:45")", "", "taken 2026-01-05T10:23:45.000Z no zone"},
            {R"("2026-01-05T10:23:45+0200")", "", "taken 2026-01-05T08:23:45.000Z"},
            {R"("1970-01-01T00:00:01Z")", "", "taken 1970-01-01T00:00:01.000Z"},
            {R"("2199-12-31T23:59:59Z")", "", "taken 2199-12-31T23:59:59.000Z"},
            {R"("2026-01-05T10:23:45+00")", "",
             R"(unreadable: "2026-01-05T10:23:45+00" is not an RFC 3339 time)"},
            {R"("2026-01-05")", "", R"(unreadable: "2026-01-05" is not an RFC 3339 time)"},
            {R"("20260105T102345Z")", "",
             R"(unreadable: "20260105T102345Z" is not an RFC 3339 time)"},
            {R"("Mon, 05 Jan 2026 10:23:45 GMT")", "",
             R"(unreadable: "Mon, 05 Jan 2026 10:23:45 GMT" is not an RFC 3339 time)"},
            {R"("01/05/2026 10:23")", "",
             R"(unreadable: "01/05/2026 10:23" is not an RFC 3339 time)"},
            {R"(" 2026-01-05T10:23:45Z")", "",
             R"(unreadable: " 2026-01-05T10:23:45Z" is not an RFC 3339 time)"},
            {R"("soon\n\"")", "", R"(unreadable: "soon\n\"" is not an RFC 3339 time)"},
            {R"("2026-02-30T10:23:45Z")", "",
             R"(unreadable: "2026-02-30T10:23:45Z" names a day that does not exist)"},
            {R"("2026-02-03T24:00:00Z")", "",
             R"(unreadable: "2026-02-03T24:00:00Z" names a time of day that does not exist)"},
            {R"("1970-01-01T00:00:00Z")", "",
             R"(no time: "1970-01-01T00:00:00Z" stands for no time)"},
            {R"("1970-01-01T01:00:00.000+01:00")", "",
             R"(no time: "1970-01-01T01:00:00.000+01:00" stands for no time)"},
            {R"("1970-01-01 00:00:00")", "",
             R"(no time: "1970-01-01 00:00:00" stands for no time)"},
            {R"("0001-01-01T00:00:00Z")", "",
             R"(no time: "0001-01-01T00:00:00Z" stands for no time: it is outside 1970 to 2200)"},
            {R"("9999-12-31T23:59:59.999Z")", "",
             R"(no time: "9999-12-31T23:59:59.999Z" stands for no time: it is outside 1970 to 2200)"},
            {R"("2200-01-01T00:00:00Z")", "",
             R"(no time: "2200-01-01T00:00:00Z" stands for no time: it is outside 1970 to 2200)"},
            {R"("")", "", "absent"},
            {"null", "s", "absent"},
        }) {
        EXPECT_EQ(claim(row.json, row.unit), row.expected) << row.json << " " << row.unit;
    }
}

TEST(ClaimedTime, integers_without_a_unit_are_milliseconds_where_that_cannot_be_mistaken) {
    for (
        const Row& row : std::initializer_list<Row>{
            {"1767607425120", "", "taken 2026-01-05T10:03:45.120Z"},
            {R"("1767607425120")", "", "taken 2026-01-05T10:03:45.120Z"},
            {"631152000000", "", "taken 1990-01-01T00:00:00.000Z"},
            {"631151999999", "",
             "taken 1989-12-31T23:59:59.999Z"},  // as seconds far beyond 2200: no doubt
            {"7258118399999", "", "taken 2199-12-31T23:59:59.999Z"},
            {"7258118400", "", "taken 1970-03-26T00:08:38.400Z"},
            {"1767607425", "",
             "ambiguous: 1767607425 is 2026-01-05T10:03:45.000Z as seconds, "
             "1970-01-21T11:00:07.425Z as milliseconds: declare "
             "the unit"},
            {R"("1767607425")", "",
             R"(ambiguous: "1767607425" is 2026-01-05T10:03:45.000Z as seconds, 1970-01-21T11:00:07.425Z as milliseconds: )"
             "declare the unit"},
            {"631152000", "",
             "ambiguous: 631152000 is 1990-01-01T00:00:00.000Z as seconds, "
             "1970-01-08T07:19:12.000Z as milliseconds: declare "
             "the unit"},
            {"7258118399", "",
             "ambiguous: 7258118399 is 2199-12-31T23:59:59.000Z as seconds, "
             "1970-03-26T00:08:38.399Z as milliseconds: declare "
             "the unit"},
            {"1767607425000000", "",
             "no time: 1767607425000000 is outside 1970 to 2200 as milliseconds, "
             "2026-01-05T10:03:45.000Z as microseconds: "
             "declare the unit"},
            {"1767607425000000000", "",
             "no time: 1767607425000000000 is outside 1970 to 2200 as milliseconds, "
             "2026-01-05T10:03:45.000Z as nanoseconds: "
             "declare the unit"},
            {"0", "", "no time: 0 stands for no time"},
            {"-0", "", "no time: -0 stands for no time"},
            {"1", "", "no time: 1 stands for no time"},
            {"-1", "", "no time: -1 stands for no time"},
            {"-62135596800000", "", "no time: -62135596800000 stands for no time"},
            {"631151999", "", "no time: 631151999 stands for no time"},
            {"20260105", "", "no time: 20260105 stands for no time"},
            {"253402300799", "", "no time: 253402300799 stands for no time"},
            {"253402300799999", "", "no time: 253402300799999 stands for no time"},
            {"9999999999", "", "no time: 9999999999 stands for no time"},
            {"99999999999999999999999999999999999999999999999999999999999999", "",
             "no time: 999999999999999999999999999999999999999999999999999999999999… stands for no "
             "time"},
        }) {
        EXPECT_EQ(claim(row.json, row.unit), row.expected) << row.json << " " << row.unit;
    }
}

TEST(ClaimedTime, a_declared_unit_counts) {
    for (const Row& row : std::initializer_list<Row>{
             {"1767607425", "s", "taken 2026-01-05T10:03:45.000Z"},
             {R"("1767607425")", "s", "taken 2026-01-05T10:03:45.000Z"},
             {"1767607425120", "ms", "taken 2026-01-05T10:03:45.120Z"},
             {"1767607425120001", "us", "taken 2026-01-05T10:03:45.120001Z"},
             {"1767607425120000001", "ns", "taken 2026-01-05T10:03:45.120000001Z"},
             {"1767607425", "ms", "taken 1970-01-21T11:00:07.425Z"},
             {"7258118399", "s", "taken 2199-12-31T23:59:59.000Z"},
             {"631151999", "s", "no time: 631151999 stands for no time"},
             {"0", "s", "no time: 0 stands for no time"},
             {"253402300799", "s", "no time: 253402300799 stands for no time"},
             {"1767607425120", "s",
              "no time: 1767607425120 is outside 1970 to 2200 as seconds, 2026-01-05T10:03:45.120Z "
              "as milliseconds: another unit "
              "is declared"},
         }) {
        EXPECT_EQ(claim(row.json, row.unit), row.expected) << row.json << " " << row.unit;
    }
    EXPECT_FALSE(parse_epoch_unit("sec"));
    EXPECT_FALSE(parse_epoch_unit(""));
    EXPECT_FALSE(parse_epoch_unit("S"));
}

TEST(ClaimedTime, nothing_else_is_a_time) {
    for (const Row& row : std::initializer_list<Row>{
             {"1767607425.5", "s", "unreadable: 1767607425.5 is not a whole number"},
             {"1767607425.0", "", "unreadable: 1767607425.0 is not a whole number"},
             {"1.7e9", "", "unreadable: 1.7e9 is not a whole number"},
             {"1e400", "", "unreadable: 1e400 is not a whole number"},
             {R"("1767607425.5")", "", R"(unreadable: "1767607425.5" is not an RFC 3339 time)"},
             {R"("+1767607425120")", "", R"(unreadable: "+1767607425120" is not an RFC 3339 time)"},
             {"true", "", "unreadable: true is not a time"},
             {R"({"seconds":1767607425})", "s",
              R"(unreadable: {"seconds":1767607425} is not a time)"},
             {"[2026,1,5]", "", "unreadable: [2026,1,5] is not a time"},
         }) {
        EXPECT_EQ(claim(row.json, row.unit), row.expected) << row.json << " " << row.unit;
    }
}

TEST(ClaimedTime, a_long_claim_is_cut_between_characters) {
    const auto time = claimed_time(std::string(59, 'x') + "\xc3\xa9 and so on");
    EXPECT_EQ(time.why, "\"" + std::string(59, 'x') + "…\" is not an RFC 3339 time");
}

RC_GTEST_PROP(ClaimedTimeProperty, what_is_taken_in_milliseconds_is_that_instant,
              (const std::int64_t value)) {
    const auto time = claimed_time(std::to_string(value));
    RC_ASSERT(time.taken() || time.doubtful());
    if (time.taken()) {
        RC_ASSERT(to_nanos(time.at) / 1'000'000 == value);
    }
}

}  // namespace
}  // namespace helios
