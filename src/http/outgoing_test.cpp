#include "http/outgoing.h"

#include <gtest/gtest.h>
#include <string>

namespace helios::http {
namespace {

std::string sent(Response response, const Framing& framing = {}) {
    Outgoing outgoing;
    outgoing.append(std::move(response), framing, "Sun, 06 Nov 1994 08:49:37 GMT");
    std::string bytes;
    outgoing.each_piece([&](std::string_view piece) { bytes += piece; });
    return bytes;
}

std::string body_of(const std::string& bytes) {
    return bytes.substr(bytes.find("\r\n\r\n") + 4);
}

TEST(Outgoing, every_json_answer_ends_in_one_line_end) {
    EXPECT_EQ(body_of(sent(Response::json(200, "{}"))), "{}\n");
    EXPECT_NE(std::string::npos, sent(Response::json(200, "{}")).find("Content-Length: 3\r\n"));
    EXPECT_EQ(body_of(sent(Response::json(200, "{}\n"))), "{}\n");
    const auto problem_bytes = body_of(sent(problem(404, "No", "what")));
    EXPECT_TRUE(problem_bytes.ends_with("}\n")) << problem_bytes;
    const std::string large = "\"" + std::string(100'000, 'x') + "\"";
    EXPECT_EQ(large + "\n", body_of(sent(Response::json(200, large))));
    EXPECT_EQ(body_of(sent(Response::text(200, "plain"))), "plain");
    EXPECT_EQ(body_of(sent(Response::json(200, ""))), "");
    Framing head;
    head.head = true;
    EXPECT_NE(std::string::npos,
              sent(Response::json(200, "{}"), head).find("Content-Length: 3\r\n"))
        << "what GET would send";
}

}  // namespace
}  // namespace helios::http
