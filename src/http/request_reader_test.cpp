#include "http/request_reader.h"

#include <gtest/gtest.h>
#include <random>

namespace helios::http {
namespace {

using Outcome = RequestReader::Outcome;

/// What came of a byte stream, as text, so that two readings can be compared.
std::string read_all(std::string_view stream, const std::vector<std::size_t>& portions,
                     const ServerOptions& options = {}) {
    ByteBudget budget(options.inflight_bytes_max);
    std::string story;
    {
        RequestReader reader(options, budget);
        Input input;
        std::size_t portion = 0;
        for (;;) {
            const auto outcome = reader.advance(input);
            if (outcome == Outcome::header) {
                reader.set_body_limit(options.body_bytes_max);
                story += "[" + std::string(to_string(reader.request().method)) + " " +
                         std::string(reader.head().target) + " @" + std::string(reader.head().host);
                for (const auto& [name, value] : reader.request().headers) {
                    story += " " + name + "=" + value;
                }
            } else if (outcome == Outcome::complete) {
                story += " {" + reader.request().body + "}]";
                reader.drop();
            } else if (outcome == Outcome::refused) {
                story += " refused " + std::to_string(reader.take_refusal().status);
                break;
            } else {
                if (stream.empty()) {
                    story += reader.busy() ? " …" : "";
                    break;
                }
                const auto length = std::min(stream.size(), portions[portion++ % portions.size()]);
                const auto room = input.prepare(length, 16);
                std::copy_n(stream.data(), length, room.data());
                input.commit(length);
                stream.remove_prefix(length);
            }
        }
    }
    EXPECT_EQ(budget.used(), 0);
    return story;
}

TEST(RequestReader, reads_the_same_in_any_portions) {
    const std::string stream =
        "GET /a?b HTTP/1.1\r\nHost: one\r\nX: y\r\n\r\n"
        "\r\nPOST /c HTTP/1.1\r\nhost: two\r\nContent-Length: 11\r\n\r\nhello\r\n\r\nxx"
        "POST /d HTTP/1.0\r\nContent-Length: 0\r\n\r\n"
        "PUT /e HTTP/1.1\r\nHost: three\r\nTransfer-Encoding: "
        "CHUNKED\r\n\r\n4\r\n\r\n0\r\r\n1;a=b\r\n\n\r\n000\r\nT: u\r\n\r\n"
        "DELETE /f HTTP/1.1\r\nHost: four\r\n\r\n";
    const std::string whole = read_all(stream, {stream.size()});
    EXPECT_EQ(whole,
              "[GET /a?b @one Host=one X=y {}]"
              "[POST /c @two host=two Content-Length=11 {hello\r\n\r\nxx}]"
              "[POST /d @ Content-Length=0 {}]"
              "[PUT /e @three Host=three Transfer-Encoding=CHUNKED {\r\n0\r\n}]"
              "[DELETE /f @four Host=four {}]");
    for (std::size_t portion = 1; portion < 40; ++portion) {
        EXPECT_EQ(read_all(stream, {portion}), whole) << portion;
    }
    constexpr unsigned seed = 20260105;
    std::mt19937 random(seed);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::size_t> portions(50);
        for (auto& portion : portions) {
            portion = 1 + random() % 60;
        }
        ASSERT_EQ(read_all(stream, portions), whole) << "seed " << seed << ", round " << round;
    }
}

TEST(RequestReader, counts_bodies_and_long_headers_against_the_budget) {
    ServerOptions options;
    ByteBudget budget(100'000);
    RequestReader reader(options, budget);
    Input input;
    const auto add = [&](std::string_view bytes) {
        const auto room = input.prepare(bytes.size(), 16);
        std::copy_n(bytes.data(), bytes.size(), room.data());
        input.commit(bytes.size());
    };
    add("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\nLong: " + std::string(5000, 'h') +
        "\r\n\r\n");
    ASSERT_EQ(reader.advance(input), Outcome::header);
    EXPECT_GE(budget.used(), 5000);
    EXPECT_LT(budget.used(), 6000);  // nothing for a body that was only announced
    reader.set_body_limit(60'000);
    add(std::string(20'000, 'b'));
    EXPECT_EQ(reader.advance(input), Outcome::starved);
    EXPECT_GE(budget.used(), 25'000);
    const std::size_t others = 100'000 - budget.used();  // take the rest
    ASSERT_TRUE(budget.try_take(others));
    add(std::string(40'000, 'b'));
    ASSERT_EQ(reader.advance(input), Outcome::refused);
    EXPECT_EQ(reader.take_refusal().status, 503);
    budget.give_back(others);
    reader.drop();
    EXPECT_EQ(budget.used(), 0);
}

TEST(RequestReader, keeps_nothing_of_a_body_without_a_limit) {
    ServerOptions options;
    ByteBudget budget(1 << 20);
    RequestReader reader(options, budget);
    Input input;
    const std::string_view bytes = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nb";
    const auto room = input.prepare(bytes.size(), 16);
    std::copy_n(bytes.data(), bytes.size(), room.data());
    input.commit(bytes.size());
    ASSERT_EQ(reader.advance(input), Outcome::header);
    ASSERT_EQ(reader.advance(input), Outcome::refused);
    EXPECT_EQ(reader.take_refusal().status, 413);
}

}  // namespace
}  // namespace helios::http
