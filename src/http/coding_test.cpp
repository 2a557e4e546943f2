#include "http/coding.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

#define ZLIB_CONST
#include <zlib.h>

#include "http/test_kit.h"

namespace helios::http {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string unpacked(std::string_view bytes) {
    z_stream stream{};
    HELIOS_ASSERT(inflateInit2(&stream, 15 + 16) == Z_OK, "zlib is there");
    std::string out(16u << 20, '\0');
    stream.next_in = reinterpret_cast<const Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int ended = inflate(&stream, Z_FINISH);
    out.resize(ended == Z_STREAM_END && stream.avail_in == 0 ? stream.total_out : 0);
    inflateEnd(&stream);
    return out;
}

Request request_with(std::string_view name, std::vector<std::string> values) {
    Request request;
    for (auto& value : values) {
        request.headers.emplace_back(name, std::move(value));
    }
    return request;
}

TEST(Coding, is_taken_where_it_is_named_with_a_quality) {
    const auto takes = [](std::vector<std::string> values) {
        return accepts_coding(request_with("accept-encoding", std::move(values)), "gzip");
    };
    EXPECT_FALSE(takes({}));
    EXPECT_TRUE(takes({"gzip"}));
    EXPECT_TRUE(takes({"gzip,deflate"}));
    EXPECT_TRUE(takes({"br;q=1.0, GZIP ; q=0.001"}));
    EXPECT_TRUE(takes({"*"}));
    EXPECT_TRUE(takes({"br", "gzip"}));
    EXPECT_FALSE(takes({""}));
    EXPECT_FALSE(takes({"identity"}));
    EXPECT_FALSE(takes({"gzip;q=0"}));
    EXPECT_FALSE(takes({"gzip;Q=0.000, *"}));
    EXPECT_FALSE(takes({"*;q=0, br"}));
    EXPECT_FALSE(takes({"gzipped, xgzip"}));
    EXPECT_FALSE(takes({";;,,=;q"}));
}

TEST(Coding, is_worth_it_from_a_kilobyte_of_text_on) {
    const auto coded = [](std::string_view media_type, std::size_t bytes, bool accepted = true) {
        Response response;
        response.headers.emplace_back("Content-Type", media_type);
        response.body = std::string(bytes, 'x');
        code(response, accepted);
        std::string said;
        for (const auto& [name, value] : response.headers) {
            said += name + "=" + value + ";";
        }
        return said;
    };
    EXPECT_THAT(coded("application/json", 1024), HasSubstr("Content-Encoding=gzip;"));
    EXPECT_THAT(coded("text/html; charset=utf-8", 1024), HasSubstr("Vary=Accept-Encoding;"));
    EXPECT_THAT(coded("application/problem+json", 5000), HasSubstr("Content-Encoding=gzip;"));
    EXPECT_THAT(coded("application/json", 1024, false), HasSubstr("Vary=Accept-Encoding;"));
    EXPECT_THAT(coded("application/json", 1024, false), Not(HasSubstr("Content-Encoding")));
    EXPECT_THAT(coded("application/json", 1023), Not(HasSubstr("Content-Encoding")));
    EXPECT_THAT(coded("image/png", 5000), Not(HasSubstr("Content-Encoding")));
}

TEST(Coding, keeps_what_was_said_of_the_answer) {
    auto response = Response::text(200, std::string(2000, 'x'));
    response.with("Vary", "Accept").with("ETag", "\"a\"");
    code(response, true);
    EXPECT_EQ(unpacked(response.body), std::string(2000, 'x'));
    std::map<std::string, std::string> headers(response.headers.begin(), response.headers.end());
    EXPECT_EQ(headers["Vary"], "Accept, Accept-Encoding");
    EXPECT_EQ(headers["ETag"], "\"a-gzip\"") << "other bytes, another strong tag";
    const auto once = response.body;
    code(response, true);
    EXPECT_EQ(response.body, once) << "coded once";
}

TEST(Coding, an_answer_that_a_client_has_is_not_sent_again) {
    const auto ask = [](std::vector<std::string> tags, std::string body = "body") {
        return with_etag(request_with("If-None-Match", std::move(tags)),
                         Response::json(200, std::move(body)));
    };
    const auto tag = etag_of("body");
    EXPECT_EQ(ask({}).status, 200);
    for (const auto& known :
         {tag, "W/" + tag, "\"x\", " + tag, std::string("*"),
          tag.substr(0, tag.size() - 1) + "-gzip\"", "\"x\" , W/" + tag + ",\"y\""}) {
        const auto answer = ask({known});
        EXPECT_EQ(answer.status, 304) << known;
        EXPECT_TRUE(answer.body.empty());
        EXPECT_TRUE(known == "*" || known.find(answer.headers.back().second) != known.npos)
            << "the tag of what the client keeps: " << answer.headers.back().second;
        EXPECT_EQ(ask({known}, "other").status, known == "*" ? 304 : 200) << known;
    }
    for (const auto& other : {std::string(""), std::string("\""), tag.substr(1), "\"\"" + tag,
                              tag.substr(0, tag.size() - 1), std::string(",,;")}) {
        EXPECT_EQ(ask({other}).status, 200) << other;
    }
}

/// Through a socket: what a browser gets.
TEST(Coding, answers_of_get_are_coded_for_who_takes_it) {
    TestServer server;
    const std::string text = "{\"a\":\"" + std::string(5000, 'x') + "\"}";
    const Handler handler = [&](Request, const Caller&, Responder responder) {
        responder.send(Response::json(200, text));
    };
    server.routes.add({.path = "/inline", .handler = handler});
    server.routes.add({.path = "/blocking", .handler = handler, .blocking = true});
    server.routes.add({.method = Method::post, .path = "/inline", .handler = handler});
    server.start();
    const auto ask = [&](std::string_view method, std::string_view path, std::string_view headers) {
        auto connection = server.connect();
        connection.send(
            fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", method, path, headers));
        return connection.receive(method == "HEAD");
    };
    for (const auto* path : {"/inline", "/blocking"}) {
        const auto coded = ask("GET", path, "Accept-Encoding: gzip\r\n");
        EXPECT_TRUE(coded.has("Content-Encoding: gzip\r\n")) << coded.head;
        EXPECT_TRUE(coded.has("Vary: Accept-Encoding\r\n")) << coded.head;
        EXPECT_LT(coded.body.size(), 1000u);
        EXPECT_EQ(unpacked(coded.body), text + "\n");
        const auto head = ask("HEAD", path, "Accept-Encoding: gzip\r\n");
        EXPECT_TRUE(head.has(fmt::format("Content-Length: {}\r\n", coded.body.size())));
        const auto plain = ask("GET", path, "");
        EXPECT_EQ(plain.body, text + "\n");
        EXPECT_TRUE(plain.has("Vary: Accept-Encoding\r\n")) << plain.head;
    }
    EXPECT_EQ(ask("POST", "/inline", "Accept-Encoding: gzip\r\nContent-Length: 0\r\n").body,
              text + "\n")
        << "who sends events waits for the answer, not for its size";
}

TEST(Gunzip, gives_back_what_was_compressed_whatever_its_size) {
    for (const std::size_t size : {0u, 1u, 4'095u, 4'096u, 100'000u, 1'000'000u}) {
        std::string text;
        for (std::size_t i = 0; i < size; ++i) {
            text += static_cast<char>('a' + (i * i + i / 7) % 23);
        }
        const auto got = gunzip(gzip(text, 6), 1'000'000);
        ASSERT_TRUE(got.has_value()) << size << got.error().what;
        EXPECT_EQ(*got, text);
    }
}

TEST(Gunzip, more_than_one_whole_member_is_refused) {
    const auto good = gzip("{\"a\":1}", 6);
    const auto broken = [&](std::string_view bytes, std::string_view why) {
        const auto got = gunzip(bytes, 1'000);
        ASSERT_FALSE(got.has_value());
        EXPECT_FALSE(got.error().too_large);
        EXPECT_NE(got.error().what.find(why), std::string::npos) << got.error().what;
    };
    broken("", "empty");
    broken("{}", "no gzip");
    broken(good + good, "one gzip member");
    broken(good + "x", "one gzip member");
    for (std::size_t cut = 1; cut < good.size(); ++cut) {
        broken(std::string_view(good).substr(0, cut), "too early");
    }
    auto flipped = good;
    flipped[good.size() - 6] ^= 1;  // its checksum
    broken(flipped, "damaged");
}

TEST(Gunzip, a_bomb_ends_at_its_bound) {
    const std::string zeroes(8u << 20, '0');
    const auto bomb = gzip(zeroes, 9);  // about a thousandth
    const auto by_ratio = gunzip(bomb, 16u << 20);
    ASSERT_FALSE(by_ratio.has_value());
    EXPECT_TRUE(by_ratio.error().too_large);
    EXPECT_NE(by_ratio.error().what.find("100 times"), std::string::npos) << by_ratio.error().what;
    const auto by_size = gunzip(gzip(std::string(5'001, 'x'), 9), 5'000);
    ASSERT_FALSE(by_size.has_value());
    EXPECT_TRUE(by_size.error().too_large);
    EXPECT_NE(by_size.error().what.find("5000 bytes"), std::string::npos) << by_size.error().what;
    EXPECT_TRUE(gunzip(gzip(std::string(5'000, 'x'), 9), 5'000).has_value()) << "exactly as many";
    EXPECT_TRUE(gunzip(gzip(std::string(1u << 20, 'x'), 9), 16u << 20).has_value())
        << "a small body may be as simple as it likes";
}

TEST(Gunzip, a_route_takes_it_or_says_what_it_takes) {
    TestServer server;
    const auto echo = [](Request request, const Caller&, Responder responder) {
        responder.send(Response::text(200, request.body));
    };
    server.routes.add(
        {.method = Method::post, .path = "/gzip", .handler = echo, .takes_gzip = true});
    server.routes.add({.method = Method::post, .path = "/plain", .handler = echo});
    server.start();
    const auto post = [&](std::string_view path, std::string_view coding) {
        auto connection = server.connect();
        connection.send(
            fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\n{}"
                        "Content-Length: 2\r\n\r\nok",
                        path, coding));
        return connection.receive();
    };
    for (const auto* coding : {"Content-Encoding: gzip\r\n", "Content-Encoding: X-GZip\r\n",
                               "Content-Encoding: identity\r\n", ""}) {
        const auto answer = post("/gzip", coding);
        EXPECT_EQ(answer.status, 200) << coding;
        EXPECT_EQ(answer.body, "ok") << "as it came";
    }
    for (const auto* coding : {"Content-Encoding: br\r\n", "Content-Encoding: gzip, gzip\r\n",
                               "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n",
                               "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n",
                               "Content-Encoding: deflate\r\n"}) {
        const auto answer = post("/gzip", coding);
        EXPECT_EQ(answer.status, 415) << coding;
        EXPECT_TRUE(answer.has("Accept-Encoding: gzip\r\n")) << answer.head;
    }
    const auto plain = post("/plain", "Content-Encoding: gzip\r\n");
    EXPECT_EQ(plain.status, 415);
    EXPECT_TRUE(plain.has("Accept-Encoding: identity\r\n")) << plain.head;
}

}  // namespace
}  // namespace helios::http
