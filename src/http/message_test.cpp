#include "http/message.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "http/options.h"
#include "http/outgoing.h"

namespace helios::http {
namespace {

std::string bytes_of(const Outgoing& out) {
    std::string bytes;
    out.each_piece([&](std::string_view piece) { bytes += piece; });
    return bytes;
}

std::string serialised(Response response, const Framing& framing = {}) {
    Outgoing out;
    out.append(std::move(response), framing, "D");
    EXPECT_EQ(out.size(), bytes_of(out).size());
    return bytes_of(out);
}

TEST(Request, names_its_media_type) {
    Request request;
    EXPECT_EQ(request.media_type(), "");
    for (const auto& [value, expected] :
         std::vector<std::pair<std::string, std::string>>{{"Application/JSON", "application/json"},
                                                          {" text/plain ; charset=x", "text/plain"},
                                                          {"", ""},
                                                          {" ", ""},
                                                          {";", ""}}) {
        request.headers = {{"content-TYPE", value}};
        EXPECT_EQ(request.media_type(), expected) << value;
    }
}

TEST(Problem, is_json_whatever_the_texts) {
    const auto response = problem(422, "A \"title\"", "line\nbreak", "", R"("dlqId":"7")");
    EXPECT_EQ(response.status, 422);
    EXPECT_EQ(response.headers[0].second, "application/problem+json");
    const auto document = json::Document::parse(response.body);
    ASSERT_TRUE(document) << response.body;
    EXPECT_EQ(document->root().find("type").text(), "about:blank");
    EXPECT_EQ(document->root().find("title").text(), "A \"title\"");
    EXPECT_EQ(document->root().find("detail").text(), "line\\nbreak")
        << "and what a person reads is one line";
    EXPECT_EQ(document->root().find("status").text(), "422");
    EXPECT_EQ(document->root().find("dlqId").text(), "7");
    EXPECT_FALSE(document->root().find("hint").present());
}

TEST(Problem, says_whether_to_come_again) {
    for (const auto kind : {ErrorKind::invalid, ErrorKind::not_found, ErrorKind::conflict,
                            ErrorKind::denied, ErrorKind::exhausted, ErrorKind::unavailable,
                            ErrorKind::timeout, ErrorKind::corrupt, ErrorKind::stopping}) {
        const auto mapping = mapping_of(kind);
        EXPECT_EQ(mapping.label, to_string(kind));
        const auto response = problem(Error{kind, "what", "hint"});
        EXPECT_EQ(response.status, mapping.status);
        bool retry_after = false;
        for (const auto& header : response.headers) {
            retry_after = retry_after || header.first == "Retry-After";
        }
        EXPECT_EQ(retry_after, mapping.status == 429 || mapping.status == 503);
        EXPECT_EQ(mapping.retryable, mapping.status == 429 || mapping.status >= 503);
    }
}

TEST(Outgoing, writes_heads_as_the_request_needs_them) {
    EXPECT_EQ(serialised(Response::text(200, "hi")),
              "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 2\r\nContent-Type: text/plain; "
              "charset=utf-8\r\n\r\nhi");
    EXPECT_EQ(serialised(Response::text(200, "hi"), {.head = true}),
              "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 2\r\nContent-Type: text/plain; "
              "charset=utf-8\r\n\r\n");
    EXPECT_EQ(serialised(Response::empty(204)), "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n");
    EXPECT_EQ(serialised(Response::empty(200), {.keep_alive = false}),
              "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(serialised(Response::empty(200), {.http_1_0 = true}),
              "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(serialised(Response::empty(200)
                             .with("Content-Length", "9")
                             .with("transfer-encoding", "chunked")
                             .with("X", "y")),
              "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\nX: y\r\n\r\n");
    EXPECT_EQ(serialised(Response::empty(77)),
              "HTTP/1.1 500 Internal Server Error\r\nDate: D\r\nContent-Length: 0\r\n"
              "Cache-Control: no-store\r\n\r\n");
}

TEST(Outgoing, gives_its_bytes_in_any_portions) {
    const std::string large(40'000, 'L');
    for (const std::size_t portion : {7UL, 997UL, 39'999UL, 1'000'000UL}) {
        Outgoing out;
        std::string expected;
        for (int i = 0; i < 3; ++i) {
            out.append(Response::text(200, "small"), {}, "D");
            out.append(Response::text(200, large), {}, "D");
            expected +=
                serialised(Response::text(200, "small")) + serialised(Response::text(200, large));
        }
        std::string sent;
        while (!out.empty()) {
            std::size_t taken = 0;
            out.each_piece([&](std::string_view piece) {
                const auto part = piece.substr(0, portion - taken);
                sent += part;
                taken += part.size();
            });
            out.consume(taken);
        }
        EXPECT_EQ(sent, expected) << portion;
        out.append_raw("again");
        EXPECT_EQ(bytes_of(out), "again");
    }
}

TEST(HttpDate, is_what_the_standard_shows) {
    EXPECT_EQ(format_http_date(parse_rfc3339("1994-11-06T08:49:37Z")->at),
              "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(format_http_date(parse_rfc3339("2024-02-29T23:59:59.999Z")->at),
              "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST(ServerOptions, refuses_what_cannot_work) {
    EXPECT_TRUE(ServerOptions{}.validate());
    const auto refused = [](auto change) {
        ServerOptions options;
        change(options);
        const auto status = options.validate();
        return !status && status.error().kind == ErrorKind::invalid && !status.error().hint.empty();
    };
    EXPECT_TRUE(refused([](auto& o) { o.host.clear(); }));
    EXPECT_TRUE(refused([](auto& o) { o.io_threads = 0; }));
    EXPECT_TRUE(refused([](auto& o) { o.worker_threads = 0; }));
    EXPECT_TRUE(refused([](auto& o) { o.header_bytes_max = 10; }));
    EXPECT_TRUE(refused([](auto& o) { o.pipeline_max = 0; }));
    EXPECT_TRUE(refused([](auto& o) { o.idle_timeout = Duration::zero(); }));
    EXPECT_TRUE(refused([](auto& o) { o.inflight_bytes_max = o.body_bytes_max; }));
    EXPECT_TRUE(refused([](auto& o) { o.allowed_hosts = {"http://host"}; }));
}

}  // namespace
}  // namespace helios::http
