#include <gtest/gtest.h>
#include <limits>
#include <thread>
#include <unistd.h>

#include "base/json.h"
#include "telemetry/telemetry.h"
#include "telemetry/trace_scope.h"

namespace helios::telemetry {
namespace {

const Instant start = from_nanos(1'767'608'625'120'000'000);

TEST(Logger, writes_one_json_object_per_line) {
    const ManualClock clock(start);
    std::vector<std::string> lines;
    Logger logger(clock, Level::info, lines);
    logger.info("gateway", "accepted",
                {{"source", "aws"},
                 {"count", 3},
                 {"bytes", std::uint64_t{18'446'744'073'709'551'615u}},
                 {"ratio", 0.5},
                 {"late", false},
                 {"delta", std::int64_t{-9}}});
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(
        lines[0],
        R"({"time":"2026-01-05T10:23:45.120Z","level":"info","room":"gateway","message":"accepted",)"
        R"("source":"aws","count":3,"bytes":18446744073709551615,"ratio":0.5,"late":false,"delta":-9})");
}

TEST(Logger, hostile_text_stays_one_valid_line) {
    const ManualClock clock(start);
    std::vector<std::string> lines;
    Logger logger(clock, Level::info, lines);
    logger.warn("adapters", "line\nbreak \"quote\" \xff\xfe",
                {{"id\n", std::string("a\0b\r\n{}", 7)},
                 {"nan", std::numeric_limits<double>::quiet_NaN()}});
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0].find('\n'), std::string::npos);
    const auto parsed = json::Document::parse(lines[0]);
    ASSERT_TRUE(parsed) << parsed.error().what;
    EXPECT_EQ(parsed->root().find("message").text(),
              "line\nbreak \"quote\" \xef\xbf\xbd\xef\xbf\xbd");
    EXPECT_EQ(parsed->root().find("id\n").text(), std::string_view("a\0b\r\n{}", 7));
    EXPECT_TRUE(parsed->root().find("nan").is_null());
}

TEST(Logger, what_steers_a_terminal_is_escaped) {
    const ManualClock clock(start);
    std::vector<std::string> lines;
    Logger logger(clock, Level::info, lines);
    logger.info("app", "Ä \u202e\u009b31m\x7f\u2028", {{"\ufeffkey", "😀"}});
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_NE(lines[0].find(R"("message":"Ä \u202e\u009b31m\u007f\u2028","\ufeffkey":"😀")"),
              std::string::npos)
        << lines[0];
    EXPECT_EQ(json::Document::parse(lines[0])->root().find("message").text(),
              "Ä \u202e\u009b31m\x7f\u2028");
}

TEST(Logger, level_decides_what_is_written) {
    const ManualClock clock(start);
    std::vector<std::string> lines;
    Logger logger(clock, Level::warn, lines);
    logger.info("app", "no");
    logger.warn("app", "yes");
    EXPECT_EQ(lines.size(), 1u);
    EXPECT_FALSE(logger.enabled(Level::debug));
    logger.set_level(Level::debug);
    logger.debug("app", "yes");
    EXPECT_EQ(lines.size(), 2u);
    logger.set_level(Level::off);
    logger.error("app", "no");
    logger.log(Level::off, "app", "no");
    EXPECT_EQ(lines.size(), 2u);
}

TEST(Logger, lines_of_many_threads_do_not_mix) {
    const ManualClock clock(start);
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    constexpr int threads_n = 4;
    constexpr int lines_n = 50;
    std::string received;
    std::thread reader([&] {
        char buffer[4096];
        ssize_t n = 0;
        while ((n = ::read(ends[0], buffer, sizeof buffer)) > 0) {
            received.append(buffer, static_cast<std::size_t>(n));
        }
    });
    {
        Logger logger(clock, Level::info, ends[1]);
        std::vector<std::thread> threads;
        for (int t = 0; t < threads_n; ++t) {
            threads.emplace_back([&logger, t] {
                const std::string filler(
                    9'000,
                    static_cast<char>('a' + t));  // more than a pipe takes at once atomically
                for (int i = 0; i < lines_n; ++i) {
                    logger.info("app", filler);
                }
            });
        }
        for (auto& t : threads) {
            t.join();
        }
    }
    ::close(ends[1]);
    reader.join();
    ::close(ends[0]);
    int lines = 0;
    for (std::size_t at = 0; at < received.size(); ++lines) {
        const std::size_t end = received.find('\n', at);
        ASSERT_NE(end, std::string::npos);
        const auto parsed = json::Document::parse(std::string_view(received).substr(at, end - at));
        ASSERT_TRUE(parsed) << parsed.error().what;
        const auto message = parsed->root().find("message").text();
        EXPECT_EQ(message, std::string(9'000, message.front()));
        at = end + 1;
    }
    EXPECT_EQ(lines, threads_n * lines_n);
}

TEST(Logger, a_closed_descriptor_does_not_stop_the_work) {
    const ManualClock clock(start);
    Logger logger(clock, Level::info, -1);
    logger.error("app", "nobody hears this");
}

TEST(Logger, lines_within_a_trace_name_it) {
    const ManualClock clock(start);
    std::vector<std::string> lines;
    Logger logger(clock, Level::info, lines);
    const std::string outer = "0af7651916cd43dd8448eb211c80319c";
    const std::string inner = "1af7651916cd43dd8448eb211c80319c";
    logger.info("app", "before");
    {
        const TraceScope scope(trace_id_of(outer));
        logger.info("app", "outer");
        {
            const TraceScope nested(trace_id_of(inner));
            logger.info("app", "inner");
            const TraceScope none({});
            logger.info("app", "none");
        }
        logger.info("app", "outer again");
        std::thread([&] { logger.info("app", "another thread"); }).join();
    }
    logger.info("app", "after");
    const auto trace_of = [](const std::string& line) {
        const auto parsed = json::Document::parse(line);
        const auto found = parsed->root().find("traceId");
        return found ? std::string(found.text()) : std::string();
    };
    std::vector<std::string> traces;
    for (const auto& line : lines) {
        traces.push_back(trace_of(line));
    }
    EXPECT_EQ(traces, (std::vector<std::string>{"", outer, inner, "", outer, "", ""}));
}

TEST(Logger, parses_levels) {
    EXPECT_EQ(parse_level("INFO"), Level::info);
    EXPECT_EQ(parse_level("Warning"), Level::warn);
    EXPECT_EQ(parse_level("warn"), Level::warn);
    EXPECT_EQ(parse_level("CRITICAL"), Level::error);
    EXPECT_EQ(parse_level("off"), Level::off);
    for (const std::string_view bad : {"", "verbose", "info ", "1", "warnings"}) {
        EXPECT_FALSE(parse_level(bad)) << bad;
    }
}

}  // namespace
}  // namespace helios::telemetry
