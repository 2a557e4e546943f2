// Bodies that come compressed: what is inside counts, and signatures are over what was transferred.
#include <gtest/gtest.h>

#include "gateway/test_kit.h"
#include "http/coding.h"

namespace helios::gateway {
namespace {

http::Request compressed(std::string_view body, std::string_view coding = "gzip",
                         std::string_view media_type = "application/json") {
    auto request = Rig::request(http::gzip(body, 6), media_type);
    request.headers.emplace_back("Content-Encoding", coding);
    return request;
}

TEST(Gzip, each_endpoint_reads_what_is_inside) {
    Rig rig;
    rig.open();
    EXPECT_EQ(rig.post(Endpoint::ingest, compressed(order("i"))).get().status, 202);
    EXPECT_EQ(rig.ingest(order("i")).status, 200) << "it is the same event uncompressed";
    EXPECT_EQ(rig.post(Endpoint::batch, compressed("[" + order("b") + "]", "x-gzip")).get().status,
              200);
    EXPECT_EQ(rig.post(Endpoint::batch,
                       compressed(order("l") + "\n" + order("m"), "GZIP", "application/x-ndjson"))
                  .get()
                  .status,
              200);
    EXPECT_EQ(rig.post(Endpoint::aws_eventbridge, compressed(eventbridge("a"))).get().status, 200);
    EXPECT_EQ(rig.post(Endpoint::gcp_pubsub, compressed(pubsub("g"))).get().status, 204);
    EXPECT_EQ(
        rig.post(Endpoint::azure_eventgrid, compressed("[" + eventgrid("z") + "]")).get().status,
        200);
    EXPECT_EQ(rig.events().size(), 7u);
}

TEST(Gzip, what_is_kept_is_kept_as_it_was_before_compression) {
    Rig rig;
    rig.open();
    const std::string bad = R"({"source":"aws","eventType":"OrderPlaced","payload":{"a":1}})";
    EXPECT_EQ(rig.post(Endpoint::ingest, compressed(bad)).get().status, 422);
    const auto kept = rig.kept_whole();
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_EQ(kept[0].quarantined().body, bad);
    EXPECT_EQ(kept[0].quarantined().headers.find("content-encoding"), std::string::npos)
        << "it would be read as compressed when it is taken in again";
}

TEST(Gzip, what_is_no_whole_member_or_too_much_is_refused_and_stores_nothing) {
    Rig rig;
    rig.options.direct_bytes_max = 4'096;
    rig.open();
    const auto send = [&](Endpoint endpoint, std::string body) {
        auto request = Rig::request(std::move(body));
        request.headers.emplace_back("Content-Encoding", "gzip");
        return rig.post(endpoint, std::move(request)).get();
    };
    const auto good = http::gzip(order("o"), 6);
    for (const auto& body :
         {std::string(), order("o"), good + good, good + "trailing", good.substr(0, 30)}) {
        const auto answer = send(Endpoint::ingest, body);
        EXPECT_EQ(answer.status, 400) << answer.body;
        EXPECT_NE(answer.body.find("compress"), std::string::npos) << answer.body;
    }
    EXPECT_EQ(send(Endpoint::ingest, http::gzip(order("o") + std::string(5'000, ' '), 9)).status,
              413)
        << "above the limit of its endpoint";
    EXPECT_EQ(send(Endpoint::batch, http::gzip("[" + std::string(8u << 20, ' ') + "]", 9)).status,
              413)
        << "within the limit, and a bomb by its ratio";
    EXPECT_TRUE(rig.events().empty());
    EXPECT_TRUE(rig.kept_whole().empty());
    EXPECT_TRUE(rig.refused.empty()) << "their fault, no absence of ours";
}

// Tests of who is authentic: sender_checks_test.cpp.
TEST(Gzip, from_a_cloud_that_proved_nothing_what_is_damaged_is_refused) {
    Rig rig;
    rig.open();
    auto request = Rig::request("no gzip");
    request.headers.emplace_back("Content-Encoding", "gzip");
    EXPECT_EQ(rig.post(Endpoint::aws_eventbridge, std::move(request)).get().status, 400);
    EXPECT_TRUE(rig.kept_whole().empty());
}

}  // namespace
}  // namespace helios::gateway
