#include "app/case_run.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <optional>
#include <vector>

#include "app/case_script.h"
#include "base/temporary_directory.h"

namespace helios::app {
namespace {

constexpr const char* paid_too_little = R"(
case paid too little
at 12:00:00 aws   OrderPlaced       {"orderId":"A1","customerId":"C1","totalAmount":"12.50"}
at 12:00:02 gcp   PaymentProcessed  {"orderId":"A1","amount":"12.05"}
advance 60s
)";

struct Outcome {
    std::optional<CaseSummary> summary;
    std::vector<std::string> complaints;
};

Outcome run(const std::string& text, const std::string& file = "shop.case") {
    Outcome out;
    out.summary = run_case_file(text, file, {},
                                [&](const std::string& line) { out.complaints.push_back(line); });
    return out;
}

std::string refusal(const std::string& text) {
    const auto out = run(text);
    EXPECT_TRUE(out.complaints.empty()) << out.complaints.front();
    std::string told;
    for (const auto& mistake : out.summary->mistakes) {
        told += (told.empty() ? "" : "\n") + mistake.message();
    }
    return told.empty() ? "accepted" : told;
}

TEST(CaseRun, what_holds_is_silent) {
    const auto out = run(std::string(paid_too_little) +
                         "expect A1 partial missing=inventory decided=12:01:00\nexpect A1 finding "
                         "amount expected=12.50 actual=12.05\n");
    ASSERT_TRUE(out.summary->mistakes.empty()) << out.summary->mistakes.front().message();
    EXPECT_TRUE(out.complaints.empty()) << out.complaints.front();
    EXPECT_EQ(out.summary->cases, 1u);
    EXPECT_EQ(out.summary->expectations, 2u);
    EXPECT_EQ(out.summary->failures, 0u);
}

TEST(CaseRun, a_failing_expectation_is_reported_with_its_line_and_what_is_there) {
    const auto out = run(std::string(paid_too_little) +
                         "expect A1 matched missing=\nexpect A1 finding amount "
                         "actual=12.50\nexpect A2 pending\nexpect A1 partial\n");
    ASSERT_TRUE(out.summary->mistakes.empty()) << out.summary->mistakes.front().message();
    EXPECT_EQ(out.summary->failures, 3u);
    ASSERT_EQ(out.complaints.size(), 3u);
    EXPECT_TRUE(out.complaints[0].starts_with(
        "shop.case:6: [paid too little] partial, not matched; missing=inventory, not empty"))
        << out.complaints[0];
    EXPECT_NE(out.complaints[0].find("amount leg=payment"), std::string::npos) << out.complaints[0];
    EXPECT_TRUE(out.complaints[1].starts_with("shop.case:7: [paid too little] no such finding"))
        << out.complaints[1];
    EXPECT_EQ(out.complaints[2], "shop.case:8: [paid too little] there is no verdict for A2");
}

TEST(CaseRun, a_step_that_cant_be_taken_ends_its_case_only) {
    const auto out =
        run("case a\nflow order version=2\nexpect A1 nothing\nflow order version=1\nexpect A1 "
            "matched\ncase b\nexpect A1 nothing\n");
    ASSERT_TRUE(out.summary->mistakes.empty()) << out.summary->mistakes.front().message();
    ASSERT_EQ(out.complaints.size(), 1u);
    EXPECT_TRUE(out.complaints[0].starts_with("shop.case:4: [a] flow order version 2 is active"))
        << out.complaints[0];
    EXPECT_EQ(out.summary->expectations, 2u);
}

TEST(CaseRun, what_the_server_would_quarantine_is_counted) {
    const auto out = run(
        "case a\nat 12:00:00 aws OrderPlaced {\"customerId\":\"C1\"}\nat 12:00:00 mars OrderPlaced "
        "{\"orderId\":\"A1\"}\nexpect quarantined 2\nexpect A1 nothing\n");
    ASSERT_TRUE(out.summary->mistakes.empty()) << out.summary->mistakes.front().message();
    EXPECT_TRUE(out.complaints.empty()) << out.complaints.front();
}

TEST(CaseRun, held_appends_refuse_what_would_wait_for_them) {
    const std::string begin =
        "case a\nhold append\nat 12:00:00 aws OrderPlaced "
        "{\"orderId\":\"A1\",\"customerId\":\"C1\",\"total\":1}\nexpect A1 "
        "nothing\n";
    for (const std::string step : {"restart", "sleep 1h", "flow order version=2",
                                   "at 12:00:01 aws OrderPlaced {\"orderId\":\"A2\"}"}) {
        const auto out = run(begin + step + "\n");
        ASSERT_TRUE(out.summary->mistakes.empty()) << out.summary->mistakes.front().message();
        ASSERT_EQ(out.complaints.size(), 1u) << step;
        EXPECT_TRUE(out.complaints[0].starts_with("shop.case:5: ")) << out.complaints[0];
    }
    const auto out =
        run(begin +
            "advance 1h\nexpect A1 nothing\nrelease append\nexpect A1 partial decided=12:01:00\n");
    EXPECT_TRUE(out.complaints.empty()) << out.complaints.front();
}

TEST(CaseRun, flows_are_found_beside_the_file_of_cases) {
    auto directory = TemporaryDirectory::make("case-run");
    ASSERT_TRUE(directory) << directory.error().message();
    std::filesystem::create_directory(directory->path() + "/flows");
    std::ofstream(directory->path() + "/flows/mine.yaml") << reconcile::shipped_order_flow();
    const std::string text =
        "case a\nflow flows/mine.yaml version=7 deadline=5s\nat 12:00:00 aws OrderPlaced "
        "{\"orderId\":\"A1\",\"customerId\":\"C1\"}\nexpect A1 pending version=7 "
        "deadline=12:00:05\n";
    const auto out = run(text, directory->path() + "/shop.case");
    ASSERT_TRUE(out.summary->mistakes.empty()) << out.summary->mistakes.front().message();
    EXPECT_TRUE(out.complaints.empty()) << out.complaints.front();
    EXPECT_EQ(refusal("case a\nflow flows/none.yaml\nexpect A1 nothing\n"),
              "shop.case:2: can't read flows/none.yaml: No such file or directory");
    EXPECT_TRUE(refusal("case a\n\nflow inline\nflow: Bad\nend\nexpect A1 nothing\n")
                    .starts_with("shop.case:4:7: 'Bad' is no name for a flow"));
    EXPECT_EQ(refusal("case a\nflow order deadlin=5s\nexpect A1 nothing\n"),
              "shop.case:2: the flow has no \"deadlin:\" to change");
}

TEST(CaseScript, a_broken_script_is_refused_with_its_line) {
    const std::string good = "case a\nexpect A1 nothing\n";
    for (const auto& [step, why] : std::vector<std::pair<std::string, std::string>>{
             {"expct A1 matched", "unknown step \"expct\"; did you mean expect?"},
             {"expect A1 macthed", "\"macthed\" is no status"},
             {"expect A1 matched misssing=a", "unknown \"misssing=\"; did you mean missing=?"},
             {"expect A1 finding wrong", "wrong"},
             {"expect A1 finding amount \"detail=a", "a quotation mark without its other half"},
             {"expect A1 pending deadline=none", "\"none\" is no time"},
             {"at noon aws OrderPlaced {}", "\"noon\" is no time"},
             {"at 12:00:00 aws OrderPlaced time= {}", "\"\" is no time"},
             {"at 12:00:00 aws OrderPlaced", "an event without a payload"},
             {"at 12:00:00 aws OrderPlaced {\"a\":}", "JSON"},
             {"advance 5", "no unit"},
             {"advance", "needs more words"},
             {"jump --5h", "duration"},
             {"hold still", "hold what?"},
             {"restart later 5s", "restart later?"},
             {"flow inline", "an inline flow without `end`"}}) {
        const auto message = refusal(good + step + "\n");
        EXPECT_TRUE(message.starts_with("shop.case:3: ")) << step << " -> " << message;
        EXPECT_NE(message.find(why), std::string::npos) << step << " -> " << message;
    }
    EXPECT_EQ(refusal("advance 5s\n"), "shop.case:1: a step before the first `case NAME`");
    EXPECT_EQ(refusal("case a\nadvance 5s\n"),
              "shop.case:1: case \"a\" expects nothing; add `expect KEY …`");
    EXPECT_EQ(refusal("# nothing\n"), "shop.case:1: no cases; a case begins with `case NAME`");
}

TEST(CaseScript, all_complaints_at_once_and_the_other_cases_run) {
    const auto out =
        run("advance 1s\ncase a\nexpct A1 matched\nat noon aws X {}\nexpect A1 nothing\ncase "
            "b\nflow flows/none.yaml\nexpect A1 "
            "nothing\n"
            "case c\nflow inline\nflow: Bad\nversion: 0\nend\nexpect A1 nothing\ncase d\nadvance "
            "5s\ncase e\nexpect A1 matched\n");
    std::string told;
    for (const auto& mistake : out.summary->mistakes) {
        EXPECT_TRUE(mistake.what.starts_with("shop.case:") ||
                    mistake.what.find("flows/none.yaml") != std::string::npos)
            << mistake.what;
        told += mistake.message() + "\n";
    }
    for (const auto* what :
         {":1: a step before", ":3: unknown step", ":4: \"noon\"", ":7: can't read", ":11:7: 'Bad'",
          ":12:10: version '0'", ":15: case \"d\" expects nothing"}) {
        EXPECT_NE(told.find(what), std::string::npos) << what << "\n" << told;
    }
    EXPECT_EQ(out.summary->cases, 1u);
    ASSERT_EQ(out.complaints.size(), 1u);
    EXPECT_TRUE(out.complaints[0].starts_with("shop.case:18: [e] there is no verdict for A1"))
        << out.complaints[0];
}

TEST(CaseScript, times_read_back) {
    for (const auto* text : {"12:00:02", "12:00:02.500", "2026-01-06T00:00:00Z"}) {
        const auto time = parse_case_time(text);
        ASSERT_TRUE(time) << text;
        EXPECT_EQ(format_case_time(*time), text);
    }
}

}  // namespace
}  // namespace helios::app
