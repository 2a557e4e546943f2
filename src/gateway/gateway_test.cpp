#include "gateway/gateway.h"

#include <gtest/gtest.h>
#include <thread>

#include "gateway/quarantine_repeats.h"
#include "gateway/routes.h"
#include "gateway/test_kit.h"

namespace helios::gateway {
namespace {

TEST(Gateway, an_accepted_event_is_on_the_log) {
    Rig rig;
    rig.open();
    auto request = Rig::request(order("e-1"));
    request.trace =
        telemetry::parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    const auto response = rig.post(Endpoint::ingest, std::move(request)).get();
    EXPECT_EQ(response.status, 202) << response.body;
    EXPECT_EQ(member(response, "status"), "accepted");
    EXPECT_EQ(member(response, "eventId"), "e-1");
    const auto position = model::decode_position(member(response, "position"));
    ASSERT_TRUE(position);

    const auto events = rig.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].topic, model::topic::orders);
    EXPECT_EQ(events[0].key, "ORD-1");
    EXPECT_EQ(events[0].log_time, position->log_time);
    const auto event = events[0].event();
    EXPECT_EQ(event.payload, R"({"orderId":"ORD-1","customerId":"C-7","total":12.50})");
    EXPECT_EQ(event.key, "ORD-1");
    EXPECT_EQ(event.traceparent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    EXPECT_TRUE(event.warnings.empty());
    const auto stored = rig.log->read_at(position->pointer);
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored->records.at(0).value, events[0].value);
}

TEST(Gateway, three_clouds) {
    Rig rig;
    rig.open();
    const auto aws = rig.send(Endpoint::aws_eventbridge, eventbridge("a-1"), "text/plain");
    EXPECT_EQ(aws.status, 200);
    EXPECT_TRUE(model::decode_position(header(aws, "Helios-Position")));
    const auto gcp = rig.send(Endpoint::gcp_pubsub, pubsub("g-1"));
    EXPECT_EQ(gcp.status, 204);
    EXPECT_EQ(gcp.body, "");
    EXPECT_TRUE(model::decode_position(header(gcp, "Helios-Position")));
    const auto azure =
        rig.send(Endpoint::azure_eventgrid, "[" + eventgrid("z-1") + "," + eventgrid("z-2") + "]");
    EXPECT_EQ(azure.status, 200);
    EXPECT_EQ(azure.body,
              R"({"accepted":2,"duplicate":0,"conflict":0,"quarantined":0,"failed":0})");
    std::map<std::string, int> topics;
    for (const auto& event : rig.events()) {
        ++topics[std::string(model::name_of(event.topic))];
    }
    EXPECT_EQ(topics, (std::map<std::string, int>{{"helios.events.orders", 1},
                                                  {"helios.events.payments", 1},
                                                  {"helios.events.inventory", 2}}));

    EXPECT_EQ(rig.send(Endpoint::aws_eventbridge, eventbridge("a-1")).status, 200);
    EXPECT_EQ(rig.send(Endpoint::gcp_pubsub, pubsub("g-1")).status, 204);
    EXPECT_EQ(
        rig.send(Endpoint::azure_eventgrid, "[" + eventgrid("z-1") + "," + eventgrid("z-3") + "]")
            .body,
        R"({"accepted":1,"duplicate":1,"conflict":0,"quarantined":0,"failed":0})");
    EXPECT_EQ(
        rig.send(Endpoint::aws_eventbridge, eventbridge("a-1", R"({"orderId":"ORD-2"})")).status,
        200)
        << "a 409 would be retried for a day";
    EXPECT_EQ(rig.events().size(), 5u);
    EXPECT_EQ(rig.kept_whole().size(), 1u);
}

TEST(Gateway, an_event_with_an_id_says_what_tells_its_content_apart) {
    Rig rig;
    rig.open();
    EXPECT_EQ(rig.ingest(order("e-1")).status, 202);
    EXPECT_EQ(
        rig.ingest(R"({"source":"aws","type":"OrderPlaced","payload":{"orderId":"A"}})").status,
        202);
    for (const auto& kept : rig.events()) {
        const auto event = kept.event();
        ASSERT_EQ(event.content.has_value(), event.identity == model::IdentityKind::native);
        if (event.content) {
            auto without = event;
            without.content.reset();
            EXPECT_EQ(*event.content, model::content_of(without));
        }
    }
}

TEST(Gateway, the_same_id_in_another_scope_is_another_event) {
    Rig rig;
    rig.open();
    EXPECT_EQ(rig.ingest(order("1")).status, 202);
    EXPECT_EQ(member(rig.send(Endpoint::aws_eventbridge, eventbridge("1")), "status"), "accepted");
    auto other_region = eventbridge("1");
    other_region.replace(other_region.find(R"("region":"eu")"), 13, R"("region":"us")");
    EXPECT_EQ(member(rig.send(Endpoint::aws_eventbridge, other_region), "status"), "accepted");
    EXPECT_EQ(member(rig.send(Endpoint::aws_eventbridge, other_region), "status"), "duplicate");
}

TEST(Gateway, duplicates_and_conflicts) {
    for (const bool from_index : {false, true}) {
        Rig rig;
        rig.open();
        const auto first = rig.ingest(order("e-1"));
        if (from_index) {
            rig.reopen();  // memory is gone, the index has it
        }
        const auto again = rig.ingest(order("e-1"));
        EXPECT_EQ(again.status, 200);
        EXPECT_EQ(member(again, "status"), "duplicate");
        EXPECT_EQ(member(again, "position"), member(first, "position"));

        // The same content written differently, other time, other metadata.
        const auto rewritten =
            R"({"metadata":{"x":1},"payload":{"total":12.50, "customerId":"C-\u0037","orderId":"ORD-1"},"type":"OrderPlaced","time":"2026-01-06T00:00:00Z","id":"e-1","source":"aws"})";
        EXPECT_EQ(rig.ingest(rewritten).status, 200);

        EXPECT_EQ(rig.ingest(order("e-1", "ORD-1", "12.5")).status, 409) << "numbers as written";
        const auto conflict = rig.ingest(order("e-1", "ORD-1", "99"));
        EXPECT_EQ(conflict.status, 409);
        EXPECT_EQ(member(conflict, "status"), "conflict");
        const auto same_conflict = rig.ingest(
            R"({"source":"aws","eventType":"OrderPlaced","id":"e-1","payload":{"total":99,"customerId":"C-7","orderId":"ORD-1"}})");
        EXPECT_EQ(same_conflict.status, 409);
        EXPECT_EQ(member(same_conflict, "dlqId"), member(conflict, "dlqId"));
        rig.reopen();
        EXPECT_EQ(member(rig.ingest(order("e-1", "ORD-1", "99")), "dlqId"),
                  member(conflict, "dlqId"));

        auto other_type = order("e-1");
        other_type.replace(other_type.find("OrderPlaced"), 11, "OrderEdited");
        EXPECT_EQ(rig.ingest(other_type).status, 409);

        EXPECT_EQ(rig.events().size(), 1u);
        const auto kept = rig.kept_whole();
        ASSERT_EQ(kept.size(), 3u) << "once per identity and content";
        EXPECT_EQ(kept[1].quarantined().reason, "conflict");
        EXPECT_EQ(kept[1].quarantined().key, "ORD-1");
        EXPECT_EQ(kept[1].quarantined().body, order("e-1", "ORD-1", "99"));
    }
}

TEST(Gateway, the_same_id_twice_in_one_batch) {
    Rig rig;
    rig.open();
    const auto response =
        rig.send(Endpoint::batch, "[" + order("e-1") + "," + order("e-1") + "," +
                                      order("e-1", "ORD-1", "99") + "," + order("e-2") + "," +
                                      order("e-1", "ORD-1", "99") + "]");
    ASSERT_EQ(response.status, 200) << response.body;
    const auto document = json::Document::parse(response.body);
    std::vector<std::string> statuses;
    for (std::size_t i = 0; i < 5; ++i) {
        statuses.emplace_back(document->root().find("items").at(i).find("status").text());
    }
    EXPECT_EQ(statuses, (std::vector<std::string>{"accepted", "duplicate", "conflict", "accepted",
                                                  "conflict"}));
    EXPECT_EQ(rig.events().size(), 2u);
    EXPECT_EQ(rig.kept_whole().size(), 1u);
}

TEST(Gateway, the_same_id_from_64_connections_at_once) {
    Rig rig;
    rig.open();
    rig.syncs.shut(true);  // so that the first is still under way when the others come
    std::vector<std::future<http::Response>> answers(64);
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            threads.emplace_back([&, i] {
                answers[i] =
                    rig.post(Endpoint::ingest,
                             Rig::request(order("e-1", "ORD-1", i == 17 ? "99" : "12.50")));
            });
        }
    }
    for (auto& pending : answers) {
        EXPECT_EQ(pending.wait_for(std::chrono::seconds(0)), std::future_status::timeout)
            << "nobody is answered before the bytes are durable";
    }
    rig.syncs.shut(false);
    std::map<int, int> statuses;
    for (auto& pending : answers) {
        ++statuses[pending.get().status];
    }
    EXPECT_EQ(statuses[202], 1);
    EXPECT_EQ(statuses[200] + statuses[409], 63);
    EXPECT_EQ(rig.events().size(), 1u);
    EXPECT_EQ(rig.kept_whole().size(), 1u);
}

TEST(Gateway, a_failed_fsync_frees_the_id_and_everybody_who_joined_may_try_again) {
    Rig rig;
    rig.open();
    ASSERT_EQ(rig.ingest(order("e-0")).status, 202);
    rig.syncs.shut(true);
    rig.disk.fail_syncs(true);
    std::vector<std::future<http::Response>> answers;
    for (int i = 0; i < 8; ++i) {
        answers.push_back(rig.post(Endpoint::ingest, Rig::request(order("e-1"))));
    }
    rig.syncs.shut(false);
    for (auto& pending : answers) {
        const auto response = pending.get();
        EXPECT_EQ(response.status, 503) << response.body;
        EXPECT_NE(header(response, "Retry-After"), "");
    }
    EXPECT_EQ(rig.send(Endpoint::azure_eventgrid, "[" + eventgrid("z-1") + "]").status, 503);
    rig.disk.fail_syncs(false);
    http::Response healed;
    for (int tries = 0; tries < 500 && healed.status != 202; ++tries) {
        healed = rig.ingest(order("e-1"));
        rig.clock.advance(std::chrono::seconds(1));
    }
    EXPECT_EQ(healed.status, 202) << healed.body;
    EXPECT_EQ(rig.ingest(order("e-1")).status, 200);
    EXPECT_EQ(rig.events().size(), 2u);
    rig.reopen();
    EXPECT_EQ(rig.events().size(), 2u);
    EXPECT_EQ(rig.ingest(order("e-1")).status, 200);
}

TEST(Gateway, a_full_disk_is_answered_retryably_and_heals) {
    Rig rig;
    rig.options.counts_interval = std::chrono::seconds(1);
    rig.open();
    rig.disk.set_capacity(rig.disk.bytes_used() + 1);
    http::Response response = rig.ingest(order("e-0"));
    for (int i = 1; i < 2'000 && response.status == 202; ++i) {
        response = rig.ingest(order("e-" + std::to_string(i), std::string(900, 'k')));
    }
    EXPECT_EQ(response.status, 503) << response.body;
    EXPECT_NE(header(response, "Retry-After"), "");
    EXPECT_EQ(rig.send(Endpoint::aws_eventbridge, eventbridge("a-1")).status, 503)
        << "never 429 or another 4xx: SNS would take it as final";
    EXPECT_EQ(rig.send(Endpoint::gcp_pubsub, pubsub("g-1")).status, 503);
    EXPECT_EQ(rig.send(Endpoint::batch, "[" + order("b-1") + "]").status, 503)
        << "nothing could be made durable";
    EXPECT_FALSE(rig.gateway->ready());
    const auto refusals = rig.gateway->refusals("gcp");
    ASSERT_EQ(refusals.size(), 1u);
    EXPECT_EQ(refusals[0].reason, "disk");
    rig.disk.set_capacity(0);
    for (int tries = 0; tries < 500 && response.status != 202; ++tries) {
        response = rig.ingest(order("after"));
        rig.clock.advance(std::chrono::seconds(1));
    }
    EXPECT_EQ(response.status, 202) << response.body;
}

TEST(Gateway, unknown_sources_and_types) {
    Rig rig;
    rig.open();
    const auto from = [&](std::string_view source) {
        return rig.ingest(R"({"source":")" + std::string(source) +
                          R"(","eventType":"SomethingNew","id":"e-1","payload":{}})");
    };
    const auto unknown = from("nobody");
    EXPECT_EQ(unknown.status, 422);
    EXPECT_EQ(member(unknown, "reason"), "unknown_source");
    EXPECT_EQ(from("warehouse").status, 202) << "named by an active flow";
    const auto events = rig.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].topic, model::topic::other);
    EXPECT_EQ(events[0].key, "e-1") << "no key readable: the id";
    EXPECT_EQ(rig.kept_whole().size(), 1u);
    const auto metrics = rig.telemetry.metrics.expose();
    EXPECT_NE(
        metrics.find(R"(helios_events_ingested_total{event_type="other",source="warehouse"} 1)"),
        std::string::npos)
        << metrics;
}

TEST(Gateway, a_source_that_only_another_tenants_flow_names_is_unknown) {
    Rig rig;
    rig.open();
    rig.caller.tenant = *TenantId::parse("second");
    const auto unknown =
        rig.ingest(R"({"source":"warehouse","eventType":"SomethingNew","id":"e-1","payload":{}})");
    EXPECT_EQ(unknown.status, 422);
    EXPECT_EQ(member(unknown, "reason"), "unknown_source");
    EXPECT_TRUE(rig.events().empty());
    const auto metrics = rig.telemetry.metrics.expose();
    EXPECT_EQ(metrics.find(R"(source="warehouse")"), std::string::npos) << metrics;
}

TEST(Gateway, warnings) {
    Rig rig;
    rig.open();
    const auto response = rig.ingest(
        R"({"source":"aws","eventType":"OrderPlaced","id":"e-1","time":"2026-01-05T10:23:45","payload":{"orderId":"ORD-1"}})");
    EXPECT_EQ(response.status, 202);
    EXPECT_NE(response.body.find(
                  R"("warnings":["customerId: expected, absent","time: no zone, UTC assumed"])"),
              std::string::npos)
        << response.body;
    EXPECT_EQ(rig.events().at(0).event().warnings.size(), 2u);
}

TEST(Gateway, without_an_id_the_content_is_the_identity) {
    Rig rig;
    rig.open();
    const std::string line =
        R"({"source":"aws","eventType":"OrderPlaced","payload":{"orderId":"ORD-1","customerId":"C"}})";
    const auto first = rig.ingest(line);
    EXPECT_EQ(first.status, 202);
    EXPECT_EQ(member(first, "identity"), "content");
    EXPECT_EQ(member(first, "eventId").size(), 64u);
    EXPECT_EQ(
        rig.ingest(
               R"({"source":"aws","eventType":"OrderPlaced","payload":{"customerId":"C", "orderId":"ORD-1"},"metadata":{"n":2}})")
            .status,
        200);
    EXPECT_EQ(
        rig.ingest(
               R"({"source":"aws","eventType":"OrderPlaced","time":"2026-01-05T10:23:45Z","payload":{"orderId":"ORD-1","customerId":"C"}})")
            .status,
        202);
}

TEST(Gateway, the_payloads_own_time_stands_in_for_an_absent_one) {
    Rig rig;
    rig.open();
    EXPECT_EQ(
        rig.ingest(
               R"({"source":"aws","eventType":"X","id":"1","payload":{"timestamp":"2026-01-05T10:00:00Z"}})")
            .status,
        202);
    EXPECT_EQ(rig.events().at(0).event().time, parse_rfc3339("2026-01-05T10:00:00Z")->at);
}

TEST(Gateway, five_thousand_events_and_beyond) {
    Rig rig;
    rig.options.append_records_max = 1'000;  // the request is split, not refused
    rig.open();
    std::string body = "[";
    std::string lines;
    for (int i = 0; i < 5'000; ++i) {
        body += (i > 0 ? "," : "") + eventgrid("z-" + std::to_string(i));
        lines += order("e-" + std::to_string(i), "K-" + std::to_string(i)) + "\n";
    }
    const auto azure = rig.send(Endpoint::azure_eventgrid, body + "]");
    EXPECT_EQ(azure.body,
              R"({"accepted":5000,"duplicate":0,"conflict":0,"quarantined":0,"failed":0})");
    const auto batch =
        rig.send(Endpoint::batch, lines + "not json\n", "application/x-ndjson; charset=utf-8");
    EXPECT_EQ(batch.status, 200);
    EXPECT_EQ(member(batch, "accepted"), "5000");
    EXPECT_EQ(member(batch, "quarantined"), "1");
    EXPECT_EQ(rig.events().size(), 10'000u);
    EXPECT_EQ(member(rig.send(Endpoint::batch, lines, "application/x-ndjson"), "duplicate"),
              "5000");
}

TEST(Gateway, empty_bodies_and_arrays) {
    Rig rig;
    rig.open();
    EXPECT_EQ(rig.send(Endpoint::batch, "[]").body,
              R"({"accepted":0,"duplicate":0,"conflict":0,"quarantined":0,"failed":0,"items":[]})");
    EXPECT_EQ(rig.send(Endpoint::azure_eventgrid, "[]").status, 400);
    for (const auto endpoint : {Endpoint::aws_eventbridge, Endpoint::gcp_pubsub,
                                Endpoint::azure_eventgrid, Endpoint::ingest, Endpoint::batch}) {
        for (const std::string body :
             {"", "{\"source\":", "\xff\xfe\x00\x01", "nonsense", "{\"a\":\"\x01\""}) {
            const auto response = rig.send(endpoint, body);
            EXPECT_EQ(response.status, 400) << path_of(endpoint) << " " << body;
            EXPECT_EQ(header(response, "Content-Type"), "application/problem+json");
        }
    }
    EXPECT_EQ(rig.events().size() + rig.kept_whole().size(), 0u) << "nothing is stored";
}

TEST(Gateway, media_types) {
    Rig rig;
    rig.open();
    for (const std::string type :
         {"text/plain", "application/x-www-form-urlencoded", "application/cloudevents+json", ""}) {
        EXPECT_EQ(rig.send(Endpoint::ingest, order("e-1"), type).status, 415) << type;
        EXPECT_EQ(rig.send(Endpoint::batch, order("e-1"), type).status, 415) << type;
    }
    EXPECT_EQ(rig.send(Endpoint::ingest, order("e-1"), "application/x-ndjson").status, 415);
    EXPECT_EQ(rig.send(Endpoint::ingest, order("e-1"), "Application/JSON; charset=utf-8").status,
              202);
    EXPECT_EQ(
        rig.send(Endpoint::ingest, order("e-2"), "application/json;Charset=\"US-ASCII\"").status,
        202);
}

TEST(Gateway, what_is_wrong_inside_one_item_is_kept_whole_and_its_neighbours_are_taken) {
    Rig rig;
    rig.open();
    const auto broken = [](std::string text, std::string_view by) {
        return text.replace(text.find("ORD-1"), 5, by);
    };
    const std::string lone = R"(\ud83d)";
    EXPECT_EQ(rig.send(Endpoint::azure_eventgrid, "[" + eventgrid("z-1") + "," +
                                                      broken(eventgrid("z-2"), lone) + "," +
                                                      eventgrid("z-3") + "]")
                  .body,
              R"({"accepted":2,"duplicate":0,"conflict":0,"quarantined":1,"failed":0})");
    const auto batch =
        rig.send(Endpoint::batch, "[" + order("b-1") + "," + broken(order("b-2"), "\xff") +
                                      ",null," + order("b-3") + "]");
    EXPECT_EQ(batch.status, 200);
    EXPECT_EQ(member(batch, "accepted") + member(batch, "quarantined"), "22") << batch.body;
    const auto lines = rig.send(Endpoint::batch,
                                order("n-1") + "\n" + broken(order("n-2"), lone) + "\n" +
                                    order("n-3").substr(0, 30) + "\n" + order("n-4"),
                                "application/x-ndjson");
    EXPECT_EQ(member(lines, "accepted") + member(lines, "quarantined"), "22") << lines.body;
    EXPECT_EQ(rig.send(Endpoint::aws_eventbridge, broken(eventbridge("a-1"), "\xc0\xaf")).status,
              200);
    EXPECT_EQ(
        rig.send(Endpoint::gcp_pubsub, pubsub("g-1", R"({"orderId":"ORD-1","amount":"\udc00"})"))
            .status,
        204);
    const auto direct = rig.ingest(broken(order("d-1"), "x\xed\xa0\xbdy"));
    EXPECT_EQ(direct.status, 422);
    EXPECT_EQ(member(direct, "reason"), "bad_text");
    EXPECT_EQ(member(direct, "detail"), "payload.orderId: invalid UTF-8 (byte 106)");
    EXPECT_EQ(rig.events().size(), 6u);
    const auto kept = rig.kept_whole();
    ASSERT_EQ(kept.size(), 8u);
    std::map<std::string, model::Quarantined> by_id;
    for (const auto& record : kept) {
        by_id.emplace(record.quarantined().event_id, record.quarantined());
    }
    EXPECT_EQ(by_id.at("z-2").body, broken(eventgrid("z-2"), lone));
    EXPECT_EQ(by_id.at("b-2").body, broken(order("b-2"), "\xff")) << "every byte";
    EXPECT_EQ(by_id.at("b-2").source, "aws");
    EXPECT_EQ(by_id.at("b-2").key, "") << "what is no text is no key";
    EXPECT_EQ(by_id.at("g-1").key, "ORD-1");
    EXPECT_EQ(by_id.at("d-1").id, member(direct, "dlqId"));
    EXPECT_EQ(rig.ingest(order("d-1")).status, 202) << "it has not taken its id";
}

TEST(Gateway, hostile_content) {
    Rig rig;
    rig.open();
    std::string deep;
    for (int i = 0; i < 10'000; ++i) {
        deep += R"({"a":)";
    }
    deep += "1" + std::string(10'000, '}');
    EXPECT_EQ(
        member(rig.ingest(R"({"source":"aws","eventType":"X","id":"1","payload":)" + deep + "}"),
               "reason"),
        "too_deep");
    EXPECT_EQ(
        member(
            rig.ingest(
                R"({"source":"aws","eventType":"OrderPlaced","id":"2","payload":{"orderId":"A","orderId":"B"}})"),
            "reason"),
        "duplicate_key");
    EXPECT_EQ(
        member(rig.ingest(R"({"source":"aws","eventType":"X","id":"3","id":"4","payload":{}})"),
               "reason"),
        "duplicate_key");
    const auto timeless = rig.ingest(
        R"({"source":"aws","eventType":"X","id":"5","time":"2200-01-01T00:00:00Z","payload":{}})");
    EXPECT_EQ(timeless.status, 202) << "no time refuses an event";
    EXPECT_EQ(
        rig.ingest(
               R"({"source":"aws","eventType":"X","id":"../../../etc/passwd","payload":{"n":9007199254740993,"x":1e400,"y":1234567890123456789012345678901234567890}})")
            .status,
        202);
    EXPECT_EQ(rig.ingest(order("6", std::string(2'000, 'k'))).status, 422)
        << "a key has at most 1 KiB";
    const auto events = rig.events();
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].event().time_as_sent, R"("2200-01-01T00:00:00Z")");
    EXPECT_EQ(events[1].event().payload,
              R"({"n":9007199254740993,"x":1e400,"y":1234567890123456789012345678901234567890})");
    EXPECT_EQ(rig.kept_whole().size(), 4u);
}

TEST(Gateway, above_the_record_limit) {
    Rig rig;
    rig.options.record_bytes_max = 4'096;
    rig.open();
    const std::string large =
        R"({"orderId":"ORD-1","customerId":"C","blob":")" + std::string(5'000, 'x') + "\"}";
    EXPECT_EQ(rig.send(Endpoint::aws_eventbridge, eventbridge("a-1", large)).status, 200);
    EXPECT_EQ(rig.kept_whole().at(0).quarantined().reason, "too_large");
    EXPECT_EQ(rig.kept_whole().at(0).quarantined().body, eventbridge("a-1", large)) << "whole";
    const auto line = R"({"source":"aws","eventType":"X","id":"1","payload":)" + large + "}";
    EXPECT_EQ(rig.ingest(line).status, 413);
    const auto batch = rig.send(Endpoint::batch, "[" + line + "," + order("e-2") + "]");
    EXPECT_EQ(batch.status, 200);
    EXPECT_EQ(member(batch, "failed"), "1");
    EXPECT_NE(batch.body.find(R"("retryable":false)"), std::string::npos);
    EXPECT_EQ(rig.kept_whole().size(), 1u);
}

TEST(Gateway, sns_confirmations_are_kept_once_and_event_grid_shakes_hands) {
    Rig rig;
    rig.open();
    const std::string confirmation =
        R"({"Type":"SubscriptionConfirmation","MessageId":"m-1","Token":"t","TopicArn":"arn:t","Message":"…","SubscribeURL":"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription"})";
    EXPECT_EQ(rig.send(Endpoint::aws_eventbridge, confirmation, "text/plain; charset=UTF-8").status,
              200);
    EXPECT_EQ(member(rig.send(Endpoint::aws_eventbridge, confirmation, "text/plain"), "status"),
              "noted");
    ASSERT_EQ(rig.kept_whole().size(), 1u);
    EXPECT_EQ(rig.kept_whole()[0].type, model::RecordType::sns_confirmation);
    EXPECT_EQ(rig.kept_whole()[0].quarantined().body, confirmation);

    const auto handshake = rig.send(
        Endpoint::azure_eventgrid,
        R"([{"id":"1","topic":"/t","eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","eventTime":"2026-01-05T10:23:45Z","data":{"validationCode":"code"}}])");
    EXPECT_EQ(handshake.status, 200);
    EXPECT_EQ(handshake.body, R"({"validationResponse":"code"})");
    EXPECT_EQ(
        rig.send(
               Endpoint::azure_eventgrid,
               R"([{"id":"1","topic":"/t","eventType":"Microsoft.EventGrid.SubscriptionDeletedEvent","data":{}}])")
            .status,
        200);
    EXPECT_EQ(rig.events().size(), 0u);
    EXPECT_EQ(rig.deleted.size(), 1u);
    EXPECT_NE(rig.telemetry.metrics.expose().find(R"(outcome="subscription_deleted")"),
              std::string::npos);
}

TEST(Gateway, part_of_an_event_grid_array_is_bad) {
    Rig rig;
    rig.open();
    const auto response = rig.send(Endpoint::azure_eventgrid,
                                   "[" + eventgrid("z-1") + "," + eventgrid("z-2", "17") + "," +
                                       eventgrid("z-1", R"({"orderId":"OTHER"})") + "]");
    EXPECT_EQ(response.status, 200) << "every item is stored or in quarantine";
    EXPECT_EQ(response.body,
              R"({"accepted":1,"duplicate":0,"conflict":1,"quarantined":1,"failed":0})");
    for (const auto& kept : rig.dlq()) {
        EXPECT_EQ(kept.quarantined().body.front(), '{') << "the item, not the array";
    }
}

TEST(Gateway, counts_add_up) {
    Rig rig;
    rig.open();
    rig.ingest(order("1"));
    rig.ingest(order("1"));
    rig.ingest(order("1", "ORD-1", "99"));
    rig.ingest(order("2"));
    rig.ingest("{}");
    rig.ingest("nonsense");
    rig.send(Endpoint::gcp_pubsub, pubsub("g-1"));
    rig.send(Endpoint::gcp_pubsub, "nonsense");
    rig.send(
        Endpoint::aws_eventbridge,
        R"({"Type":"SubscriptionConfirmation","MessageId":"m-1","Token":"t","TopicArn":"arn:t","SubscribeURL":"u"})");
    const auto activity = rig.gateway->activity("aws");
    EXPECT_EQ(activity.received, 4u) << "a confirmation is no event";
    EXPECT_EQ(activity.appended, 2u);
    ASSERT_TRUE(activity.last_received_at);
    rig.reopen();
    using Sums = std::map<std::string, std::uint64_t>;
    EXPECT_EQ(rig.counted("aws"),
              (Sums{{"received", 4}, {"appended", 2}, {"duplicate", 1}, {"conflict", 1}}));
    EXPECT_EQ(rig.counted("gcp"), (Sums{{"received", 2}, {"appended", 1}, {"refused", 1}}));
    EXPECT_EQ(rig.counted("other"), (Sums{{"received", 2}, {"quarantined", 1}, {"refused", 1}}));
}

TEST(Gateway, before_it_admits_it_refuses_retryably_and_appends_nothing) {
    Rig rig;
    rig.open_log();
    auto opened = Gateway::open(
        rig.options, *rig.log, model::Catalogue::shipped(),
        [](const TenantId&, std::string_view) { return false; }, rig.telemetry, rig.clock);
    ASSERT_TRUE(opened);
    rig.gateway = *std::move(opened);
    ASSERT_TRUE(rig.gateway->wait_caught_up(std::chrono::seconds(10)));
    const auto response = rig.ingest(order("e-1"));
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(header(response, "Retry-After"), "1");
    ASSERT_FALSE(rig.gateway->ready());
    EXPECT_EQ(rig.gateway->ready().error().what, "the server is starting");
    EXPECT_EQ(rig.log->last_log_time(), Instant{});
    rig.gateway->admit();
    EXPECT_TRUE(rig.gateway->ready());
    EXPECT_EQ(rig.ingest(order("e-1")).status, 202);
}

TEST(Gateway, what_is_refused_because_of_us_is_told_with_its_source) {
    Rig rig;
    rig.open_log();
    rig.open_gateway(false);
    EXPECT_EQ(rig.ingest(order("e-1")).status, 503);
    EXPECT_EQ(rig.send(Endpoint::aws_eventbridge, eventbridge("a-1")).status, 503);
    EXPECT_EQ(rig.refused, (std::vector<std::string>{"", "aws"})) << "not admitting yet";
    EXPECT_EQ(rig.gateway->refusals("aws").at(0).reason, "not_ready");
    rig.gateway->admit();
    rig.refused.clear();
    rig.log->close();
    EXPECT_EQ(rig.ingest(order("e-1")).status, 503);
    EXPECT_EQ(rig.send(Endpoint::aws_eventbridge, eventbridge("a-1")).status, 503);
    EXPECT_EQ(rig.refused, (std::vector<std::string>{"aws", "aws"})) << "the log takes nothing";
    rig.refused.clear();
    EXPECT_EQ(rig.ingest("{}").status, 503) << "quarantine needs the log as well";
    EXPECT_EQ(rig.refused.size(), 1u);
}

TEST(Gateway, what_a_sender_got_wrong_is_no_refusal_of_ours) {
    Rig rig;
    rig.open();
    EXPECT_EQ(rig.ingest("{").status, 400);
    EXPECT_EQ(rig.ingest("{}").status, 422);
    EXPECT_EQ(rig.ingest(order("e-1")).status, 202);
    EXPECT_EQ(rig.ingest(order("e-1")).status, 200);
    EXPECT_TRUE(rig.refused.empty());
}

TEST(Gateway, without_room_it_refuses_as_each_sender_needs_and_goes_on_when_there_is_room_again) {
    Rig rig;
    std::atomic<bool> room = false;
    rig.open();
    rig.gateway->admit([&](const model::Event& event, json::Value payload) -> Status {
        EXPECT_FALSE(event.key.empty());
        EXPECT_TRUE(payload.is_object());
        return room ? Status{} : fail(ErrorKind::exhausted, "7 cases are open", "wait");
    });
    const auto refused = rig.ingest(order("e-1"));
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(header(refused, "Retry-After"), "1");
    EXPECT_NE(refused.body.find("7 cases are open"), std::string::npos) << refused.body;
    EXPECT_EQ(rig.send(Endpoint::aws_eventbridge, eventbridge("a-1")).status, 503);
    EXPECT_TRUE(rig.gateway->ready()) << "others may enter";
    EXPECT_TRUE(rig.refused.empty()) << "a bound that somebody has set is no absence of ours";
    EXPECT_EQ(rig.gateway->refusals("aws").at(0).reason, "no_room");
    EXPECT_EQ(rig.log->last_log_time(), Instant{});
    room = true;
    EXPECT_EQ(rig.ingest(order("e-1")).status, 202);
    EXPECT_TRUE(rig.gateway->ready());
}

TEST(Gateway, closed_it_refuses_retryably) {
    Rig rig;
    rig.open();
    rig.gateway->close();
    const auto response = rig.ingest(order("e-1"));
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(header(response, "Retry-After"), "1");
    EXPECT_EQ(rig.refused, std::vector<std::string>{""})
        << "whose event it was is not known before it is read";
    EXPECT_EQ(header(rig.send(Endpoint::azure_eventgrid, "[]"), "Retry-After"), "30");
    EXPECT_EQ(rig.gateway->refusals("azure").at(0).reason, "stopping");
    EXPECT_FALSE(rig.gateway->ready());
}

TEST(Gateway, routes_are_documented_and_answer) {
    Rig rig;
    rig.open();
    http::RouteTable routes;
    add_routes(routes, *rig.gateway);
    const auto openapi = routes.openapi("Helios", "1", "", "{}");
    ASSERT_TRUE(json::Document::parse(openapi));
    for (const auto& route : routes.routes()) {
        EXPECT_FALSE(route.summary.empty() || route.operation_id.empty() || route.answers.empty())
            << route.path;
        EXPECT_EQ(route.changes_state, route.method == http::Method::post);
        for (const auto* text : {&route.request_schema, &route.request_example}) {
            EXPECT_TRUE(text->empty() || json::Document::parse(*text)) << route.path << *text;
        }
        for (const auto& answer : route.answers) {
            EXPECT_TRUE(answer.schema.empty() || json::Document::parse(answer.schema))
                << route.path << answer.schema;
            EXPECT_TRUE(answer.example.empty() || json::Document::parse(answer.example))
                << route.path << answer.example;
        }
    }
    // Every example of a request is itself accepted.
    const auto call = [&](http::Method method, const std::string& path, std::string body) {
        const auto match = routes.match(method, path);
        std::promise<http::Response> promise;
        auto future = promise.get_future();
        match.route->handler(Rig::request(std::move(body)), local_caller(),
                             http::Responder([&](http::Response response) {
                                 promise.set_value(std::move(response));
                             }));
        return future.get();
    };
    for (const auto& route : routes.routes()) {
        const auto response = call(route.method, route.path, route.request_example);
        EXPECT_LT(response.status, 300) << route.path << response.body;
    }
    const auto health = call(http::Method::get, "/api/v1/webhooks/gcp/health", "");
    EXPECT_EQ(member(health, "status"), "healthy");
    EXPECT_EQ(member(health, "lastEventAt"), "2026-01-05T10:23:45.000Z");
    rig.gateway->close();
    EXPECT_EQ(call(http::Method::get, "/api/v1/webhooks/gcp/health", "").status, 503);
}

TEST(Gateway, bad_options_are_named) {
    Rig rig;
    rig.open_log();
    rig.options.record_bytes_max = 1;
    const auto opened = Gateway::open(
        rig.options, *rig.log, model::Catalogue::shipped(),
        [](const TenantId&, std::string_view) { return false; }, rig.telemetry, rig.clock);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, ErrorKind::invalid);
    EXPECT_NE(opened.error().what.find("record_bytes_max"), std::string::npos);
}

}  // namespace
}  // namespace helios::gateway
