#include "app/ingestion.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sstream>

#include "base/json.h"
#include "lab/fake_helios.h"

namespace helios::app {
namespace {

using std::chrono::milliseconds;

/// Each line of a body, with the answer that accepts them all but those `refuse` has a reason
/// against.
http::Response judge(const std::string& body,
                     const std::function<std::string(std::string_view)>& refuse) {
    json::Writer out;
    out.begin_object().key("items").begin_array();
    for (std::string_view rest = body; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
        const auto why = refuse(rest.substr(0, rest.find('\n')));
        out.begin_object()
            .field("status", why.empty() ? "accepted" : "quarantined")
            .field("retryable", false);
        out.field("detail", why).end_object();
    }
    return http::Response::json(200, out.end_array().end_object().take());
}

struct Ingest : testing::Test {
    void start(std::function<http::Response(const http::Request&)> on_post,
               Duration retry_for = milliseconds(300)) {
        server.on_post = [this, on_post = std::move(on_post)](const http::Request& request) {
            bodies.push_back(request.body);
            return on_post(request);
        };
        server.start();
        open(server.url(), retry_for);
    }
    void open(const std::string& to, Duration retry_for) {
        ingestion.emplace(IngestionOptions{.to = to,
                                           .ca_file = {},
                                           .timeout = std::chrono::seconds(5),
                                           .retry_for = retry_for,
                                           .credentials = {}},
                          *http::Url::parse(to), clock, nullptr, progress,
                          [this](const std::string& text) { said.push_back(text); });
    }
    Status add(std::initializer_list<std::string_view> lines) {
        std::uint64_t number = 0;
        for (const auto line : lines) {
            HELIOS_TRY(ingestion->add("f", ++number, line));
        }
        return ingestion->flush();
    }
    std::string tally() const {
        const auto& t = ingestion->tally();
        return fmt::format("{} {} {} {} {}", t.accepted, t.duplicate, t.conflict, t.quarantined,
                           t.refused);
    }

    SystemClock clock;
    std::ostringstream shown;
    Terminal terminal{shown, Screen{}};
    Progress progress{terminal, clock, 0};
    lab::FakeHelios server;
    std::optional<Ingestion> ingestion;
    std::vector<std::string> bodies;
    std::vector<std::string> said;
};

using Texts = std::vector<std::string>;

TEST_F(Ingest, each_line_has_the_outcome_that_the_server_gave_it) {
    start([](const http::Request& request) {
        return judge(std::string(request.body), [](std::string_view line) {
            return line == "{\"b\":1}" ? "no \x1b[31m source" : "";
        });
    });
    ASSERT_TRUE(add({"{\"a\":1}", " \t\r", "{\"b\":1}", "{\"c\":1}"}));
    EXPECT_EQ(tally(), "2 0 0 1 0");
    EXPECT_EQ(said, Texts{"f:3: quarantined: no ?[31m source"});
    EXPECT_FALSE(ingestion->unfinished());
}

TEST_F(Ingest, control_lines_of_an_export_are_no_events) {
    start([](const http::Request& request) {
        return judge(request.body, [](std::string_view) { return std::string(); });
    });
    ASSERT_TRUE(add({R"({"control":"flow","at":"2026-01-01T00:00:00Z","text":"flow: a"})",
                     R"({"eventId":"1","payload":{"control":"none"}})",
                     R"({"control":"end","at":"2026-01-01T00:00:00Z"})"}));
    EXPECT_EQ(tally(), "1 0 0 0 0");
    EXPECT_EQ(ingestion->skipped(), 2u);
    ASSERT_EQ(bodies.size(), 1u);
    EXPECT_EQ(bodies[0], "{\"eventId\":\"1\",\"payload\":{\"control\":\"none\"}}\n");
}

TEST_F(Ingest, a_request_without_a_readable_line_is_judged_line_by_line) {
    start([](const http::Request&) {
        return http::problem(400, "Not readable", "no line is a JSON object");
    });
    ASSERT_TRUE(add({"{", "17"}));
    EXPECT_EQ(tally(), "0 0 0 0 2");
    EXPECT_EQ(bodies.size(), 1u) << "what can be known here is not asked";
    ASSERT_EQ(said.size(), 2u);
    EXPECT_TRUE(said[0].starts_with("f:1: refused: not JSON: ")) << said[0];
    EXPECT_EQ(said[1], "f:2: refused: an event line must be an object, is number");
}

TEST_F(Ingest, what_is_refused_whole_is_taken_apart) {
    int status = 0;
    start([&status](const http::Request& request) {
        const bool bad = request.body.find("bad") != std::string::npos;
        return bad ? http::problem(status, "No", "not that one")
                   : judge(std::string(request.body), [](auto) { return ""; });
    });
    for (const int each : {400, 413, 422}) {
        status = each;
        said.clear();
        ASSERT_TRUE(add({"{\"a\":1}", "{\"b\":1}", "{\"bad\":1}", "{\"d\":1}", "{\"e\":1}"}));
        EXPECT_EQ(said, Texts{"f:3: refused: not that one"});
    }
    EXPECT_EQ(tally(), "12 0 0 0 3");
}

TEST_F(Ingest, a_server_that_counts_lines_otherwise) {
    start([](const http::Request& request) {
        const bool odd = request.body.find("odd") != std::string::npos;
        return odd ? http::Response::json(200, R"({"items":[]})")
                   : judge(std::string(request.body), [](auto) { return ""; });
    });
    ASSERT_TRUE(add({"{\"a\":1}", "{\"odd\":1}"}));
    EXPECT_EQ(tally(), "1 0 0 0 1");
    EXPECT_EQ(said, Texts{"f:2: refused: the server sees 0 events in it"});
}

TEST_F(Ingest, what_could_not_be_stored_goes_again_alone) {
    start([this](const http::Request& request) {
        return bodies.size() > 1
                   ? judge(std::string(request.body), [](auto) { return ""; })
                   : http::Response::json(
                         200,
                         R"({"items":[{"status":"accepted"},{"status":"failed","retryable":true}]})");
    });
    ASSERT_TRUE(add({"{\"a\":1}", "{\"b\":1}"}));
    EXPECT_EQ(tally(), "2 0 0 0 0");
    EXPECT_EQ(bodies.at(1), "{\"b\":1}\n");
    EXPECT_EQ(said, Texts{"the server could not store all of a request: retrying for 300ms"});
}

TEST_F(Ingest, away_for_too_long) {
    start([](const http::Request&) { return http::problem(503, "Full", "the disk is full"); },
          milliseconds(0));
    const auto sent = add({"{\"a\":1}", "{\"b\":1}"});
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(sent.error().what, "the server answered 503: the disk is full");
    EXPECT_EQ(said, Texts{}) << "it was not to be waited for";
    ASSERT_TRUE(ingestion->unfinished());
    EXPECT_EQ(ingestion->unfinished()->line, 1u);
}

TEST_F(Ingest, many_bad_lines_are_counted) {
    start([](const http::Request& request) {
        return judge(std::string(request.body), [](auto) { return "bad"; });
    });
    for (std::uint64_t i = 1; i <= 1234; ++i) {
        ASSERT_TRUE(ingestion->add("f", i, "{}"));
    }
    ASSERT_TRUE(ingestion->flush());
    EXPECT_EQ(tally(), "0 0 0 1234 0");
    EXPECT_EQ(said.size(), 21u);
    EXPECT_EQ(bodies.size(), 3u);
}

}  // namespace
}  // namespace helios::app
