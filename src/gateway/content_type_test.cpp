// What a sender says of its bytes: read strictly from direct senders, who mend what is refused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/gateway.h"
#include "gateway/test_kit.h"

namespace helios::gateway {
namespace {

TEST(ContentType, a_charset_that_is_not_read_is_refused_from_direct_senders) {
    Rig rig;
    rig.open();
    for (const std::string type :
         {"application/json; charset=latin1", "application/json;charset=\"iso-8859-1\"",
          "application/json; a=b; CHARSET=UTF-16", "application/json; charset=utf-8; charset=x"}) {
        const auto answer = rig.send(Endpoint::ingest, order("e-1"), type);
        EXPECT_EQ(answer.status, 415) << type;
        EXPECT_THAT(answer.body, testing::HasSubstr("utf-8")) << "says what is read";
        EXPECT_EQ(rig.send(Endpoint::batch, order("e-1"), type).status, 415) << type;
    }
    EXPECT_EQ(
        rig.send(Endpoint::batch, order("e-1"), "application/x-ndjson; charset=latin1").status,
        415);
    EXPECT_EQ(rig.events().size() + rig.kept_whole().size(), 0u) << "nothing is stored";
}

// Table 1.9 has one row for direct senders and CloudEvents.
TEST(ContentType, a_charset_that_is_not_read_is_refused_from_cloudevents_in_every_form) {
    Rig rig;
    rig.open();
    const std::string event =
        R"({"specversion":"1.0","id":"c-1","source":"/shop","type":"OrderPlaced","data":{"orderId":"O"}})";
    const auto send = [&](std::string body, const std::string& type, bool binary) {
        auto request = Rig::request(std::move(body), type);
        if (binary) {
            for (const auto& [name, value] :
                 {std::pair("ce-specversion", "1.0"), std::pair("ce-id", "c-2"),
                  std::pair("ce-source", "/shop"), std::pair("ce-type", "OrderPlaced")}) {
                request.headers.emplace_back(name, value);
            }
        }
        return rig.post(Endpoint::cloudevents, std::move(request)).get().status;
    };
    const std::string charsets[] = {"latin1", "utf-16", "\"iso-8859-1\"", "utf-8; charset=x"};
    for (const auto& charset : charsets) {
        const std::string with = "; charset=" + charset;
        EXPECT_EQ(send(event, "application/cloudevents+json" + with, false), 415) << charset;
        EXPECT_EQ(send("[" + event + "]", "application/cloudevents-batch+json" + with, false), 415)
            << charset;
        EXPECT_EQ(send(R"({"orderId":"O"})", "application/json" + with, true), 415) << charset;
    }
    EXPECT_EQ(rig.events().size() + rig.kept_whole().size(), 0u) << "nothing is stored";
    EXPECT_EQ(send(event, "application/cloudevents+json; charset=\"UTF-8\"", false), 202);
    EXPECT_EQ(send(R"({"orderId":"O"})", "application/json; charset=utf-8", true), 202);
}

TEST(ContentType, two_are_refused_from_direct_senders) {
    Rig rig;
    rig.open();
    for (const auto endpoint : {Endpoint::ingest, Endpoint::batch}) {
        for (const std::string other : {"text/plain", "application/json"}) {
            auto request = Rig::request(order("e-1"));
            request.headers.emplace_back("content-type", other);
            EXPECT_EQ(rig.post(endpoint, std::move(request)).get().status, 400) << other;
        }
    }
    EXPECT_EQ(rig.events().size() + rig.kept_whole().size(), 0u) << "nothing is stored";
}

/// They would not send again what is refused, and their bytes say themselves what they are.
TEST(ContentType, clouds_may_say_of_their_bytes_what_they_like) {
    Rig rig;
    rig.open();
    int n = 0;
    for (const std::string type :
         {"text/plain; charset=UTF-8", "application/json; charset=latin1", ""}) {
        for (const bool twice : {false, true}) {
            auto request =
                Rig::request(R"({"id":"eb-)" + std::to_string(++n) +
                                 R"(","detail-type":"OrderPlaced","source":"shop",)"
                                 R"("account":"1","region":"r","detail":{"orderId":"O"}})",
                             type);
            if (twice) {
                request.headers.emplace_back("Content-Type", "text/plain");
            }
            EXPECT_EQ(rig.post(Endpoint::aws_eventbridge, std::move(request)).get().status, 200)
                << type;
        }
    }
    EXPECT_EQ(rig.events().size(), 6u);
}

}  // namespace
}  // namespace helios::gateway
