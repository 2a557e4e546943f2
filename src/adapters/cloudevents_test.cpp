#include "adapters/cloudevents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/test_kit.h"
#include "base/hash.h"
#include "base/time.h"

namespace helios::adapters {
namespace {

const std::string payload = R"({"orderId":"ORD-1", "totalAmount":12.50})";
const std::string event =
    R"({"specversion":"1.0","id":"e-1","source":"https://shop.example/orders","type":"com.example.OrderPlaced",)"
    R"("time":"2026-01-05T10:23:45Z","subject":"ORD-1","datacontenttype":"application/json","data":)" +
    payload + "}";
const std::vector<Header> required{{"ce-specversion", "1.0"},
                                   {"ce-id", "e-1"},
                                   {"ce-source", "https://shop.example/orders"},
                                   {"ce-type", "com.example.OrderPlaced"}};

Adapting adapting(std::string body, std::vector<Header> headers,
                  const CloudEventsRules& rules = {}) {
    return {[&](const RawRequest& request) { return adapt_cloudevents(request, rules); },
            std::move(body), std::move(headers)};
}
Adapting structured(std::string body, const CloudEventsRules& rules = {}) {
    return adapting(std::move(body), {{"Content-Type", "application/cloudevents+json"}}, rules);
}
Adapting batch(std::string body) {
    return adapting(std::move(body),
                    {{"Content-Type", "application/cloudevents-batch+json; charset=UTF-8"}});
}
Adapting binary(std::string body, std::vector<Header> more = {}) {
    more.insert(more.end(), required.begin(), required.end());
    return adapting(std::move(body), std::move(more));
}
std::string with(std::string_view members) {
    return replaced(event, R"("subject":"ORD-1")", members);
}
/// The event whose data member is `data`, with its comma; may be empty.
std::string with_data(std::string_view data) {
    return replaced(replaced(event, R"("datacontenttype":"application/json",)", ""),
                    R"("data":)" + payload, data);
}

TEST(CloudEvents, structured_becomes_an_event) {
    const auto a = structured(event);
    ASSERT_TRUE(a.event()) << a.verdict();
    const auto& e = a.event()->event;
    EXPECT_EQ(e.source, "cloudevents");
    EXPECT_EQ(e.scope, "https://shop.example/orders");
    EXPECT_EQ(e.id, "e-1");
    EXPECT_EQ(e.identity, model::IdentityKind::native);
    EXPECT_EQ(e.type, "OrderPlaced");
    EXPECT_EQ(e.time, parse_rfc3339("2026-01-05T10:23:45Z")->at);
    EXPECT_EQ(e.payload, payload) << "exact bytes";
    EXPECT_EQ(
        e.metadata,
        R"({"source":"https://shop.example/orders","type":"com.example.OrderPlaced","subject":"ORD-1","datacontenttype":"application/json"})");
    EXPECT_EQ(a.event()->raw, event);
    EXPECT_EQ(a.event()->payload.find("totalAmount").raw(), "12.50");
}

TEST(CloudEvents, binary_becomes_the_same_event) {
    const auto a = binary(payload, {{"Content-Type", "application/json"},
                                    {"CE-Time", "2026-01-05T10:23:45Z"},
                                    {"Ce-Subject", "ORD-1"}});
    ASSERT_TRUE(a.event()) << a.verdict();
    const auto s = structured(event);
    EXPECT_EQ(a.event()->event.payload, s.event()->event.payload);
    EXPECT_EQ(a.event()->event.metadata, s.event()->event.metadata);
    EXPECT_EQ(a.event()->event.time, s.event()->event.time);
    EXPECT_EQ(a.event()->event.type, s.event()->event.type);
    EXPECT_EQ(model::identity_of(a.event()->event), model::identity_of(s.event()->event));
    EXPECT_EQ(
        a.event()->raw,
        R"({"time":"2026-01-05T10:23:45Z","subject":"ORD-1","specversion":"1.0","id":"e-1","source":"https://shop.example/orders","type":"com.example.OrderPlaced","datacontenttype":"application/json","data":)" +
            payload + "}")
        << "what would wait in quarantine has all that was in headers";
    const auto again = structured(std::string(a.event()->raw));
    ASSERT_TRUE(again.event());
    EXPECT_EQ(again.event()->event, a.event()->event);
}

TEST(CloudEvents, batch_of_any_length) {
    EXPECT_EQ(batch("[]").count(), 0u);
    EXPECT_TRUE(batch("[]").outcome<std::vector<Item>>());
    const auto a = batch("[" + event + ",17," + replaced(event, "ORD-1\", \"t", "\\ud83d\", \"t") +
                         "," + replaced(event, "\"e-1\"", "\"e-2\"") + ",{}]");
    ASSERT_EQ(a.count(), 5u);
    EXPECT_EQ(a.verdict(0), "accepted");
    EXPECT_EQ(a.verdict(1), "not_an_object");
    EXPECT_EQ(a.verdict(2), "bad_text");
    EXPECT_EQ(a.rejection(2)->event_id, "e-1");
    EXPECT_EQ(a.verdict(3), "accepted");
    EXPECT_EQ(a.event(3)->raw, replaced(event, "\"e-1\"", "\"e-2\""));
    EXPECT_EQ(a.verdict(4), "missing_field");
    EXPECT_EQ(a.rejection(4)->errors.size(), 5u) << "all complaints";
    EXPECT_EQ(batch(event).verdict(), "400") << "no array";
    std::string many = "[1";
    for (int i = 0; i < 200'000; ++i) {
        many += ",1";
    }
    EXPECT_EQ(batch(many + "]").verdict(), "400");
}

TEST(CloudEvents, the_mode_is_in_the_content_type) {
    const auto mode = [](std::string_view type) { return cloudevents_mode(type); };
    EXPECT_EQ(mode("application/cloudevents+json"), CloudEventsMode::structured);
    EXPECT_EQ(mode("Application/CloudEvents+JSON ; charset=utf-8"), CloudEventsMode::structured);
    EXPECT_EQ(mode("application/cloudevents"), CloudEventsMode::structured);
    EXPECT_EQ(mode("application/cloudevents-batch+json"), CloudEventsMode::batch);
    EXPECT_EQ(mode("APPLICATION/CLOUDEVENTS-BATCH+json;x=y"), CloudEventsMode::batch);
    EXPECT_EQ(mode("application/cloudevents+avro"), CloudEventsMode::unread);
    EXPECT_EQ(mode("application/cloudevents-batch+protobuf"), CloudEventsMode::unread);
    EXPECT_EQ(mode("application/json"), CloudEventsMode::none);
    EXPECT_EQ(mode(""), CloudEventsMode::none);
}

TEST(CloudEvents, a_format_that_is_not_read) {
    for (const std::string type : {"application/cloudevents+avro", "application/cloudevents+xml",
                                   "application/cloudevents-batch+protobuf"}) {
        const auto a = adapting(event, {{"Content-Type", type}});
        ASSERT_TRUE(a.refusal()) << type;
        EXPECT_TRUE(a.refusal()->unread_media_type);
        ASSERT_TRUE(a.refusal()->kept);
        EXPECT_EQ(a.refusal()->kept->raw, event);
    }
    EXPECT_FALSE(structured("nonsense").refusal()->unread_media_type);
}

TEST(CloudEvents, a_mode_that_nobody_named_is_seen) {
    for (const auto& headers :
         std::vector<std::vector<Header>>{{}, {{"Content-Type", "application/json"}}}) {
        EXPECT_EQ(adapting(event, headers).verdict(), "accepted");
        EXPECT_EQ(adapting("[" + event + ",5]", headers).verdict(1), "not_an_object");
        for (const std::string body : {"", "{", "{}", "[]", "[{}]", "5", "null", payload.c_str()}) {
            EXPECT_EQ(adapting(body, headers).verdict(), "400") << body;
        }
    }
    EXPECT_EQ(structured("[]").verdict(), "400");
    EXPECT_EQ(structured("{}").verdict(), "missing_field") << "said to be one";
}

TEST(CloudEvents, header_values) {
    const auto subject = [](std::string text) {
        const auto a = binary(payload, {{"ce-subject", std::move(text)}});
        if (a.event() == nullptr) {
            return a.verdict();
        }
        const auto metadata = json::Document::parse(a.event()->event.metadata);
        return std::string(metadata->root().find("subject").text());
    };
    EXPECT_EQ(subject("Euro%20%E2%82%AC%20%F0%9F%98%80"), "Euro € 😀");
    EXPECT_EQ(subject("%e2%82%ac"), "€") << "lower case";
    EXPECT_EQ(subject("%41%42"), "AB") << "needless";
    EXPECT_EQ(subject("%2541"), "%41") << "one round";
    EXPECT_EQ(subject("100%"), "100%");
    EXPECT_EQ(subject("%4"), "%4");
    EXPECT_EQ(subject("%zz%"), "%zz%");
    EXPECT_EQ(subject(R"("a b")"), "a b");
    EXPECT_EQ(subject(R"("a \"b\" \\ %20c")"), R"(a "b" \  c)");
    EXPECT_EQ(subject("\""), "\"");
    EXPECT_EQ(subject("\xe2\x82\xac"), "€") << "as sent by who does not encode";
    EXPECT_EQ(subject(""), "") << "absent";
    for (const std::string bad :
         {"%FF", "%C0%AF", "%ED%A0%80", "%F8%88%80%80%80", "%E2%82", "\xff", "%E2%28%A1"}) {
        EXPECT_EQ(subject(bad), "bad_text") << bad;
    }
    EXPECT_EQ(subject("a%0Ab"), "bad_field") << "a control character";
    const auto id = binary(payload, {{"ce-id", "e-1"}});
    EXPECT_EQ(id.verdict(), "duplicate_key") << "twice, though the same";
    const auto bad = binary(payload, {{"ce-x", "%FF"}});
    EXPECT_EQ(bad.rejection()->event_id, "e-1");
    EXPECT_EQ(bad.rejection()->errors, std::vector<std::string>{"ce-x: invalid UTF-8"});
}

TEST(CloudEvents, headers_that_binary_has_not) {
    EXPECT_EQ(binary(payload, {{"ce-datacontenttype", "application/json"}}).verdict(), "bad_field");
    EXPECT_EQ(binary(payload, {{"ce-data", "x"}}).verdict(), "bad_field");
    EXPECT_EQ(binary(payload, {{"CE-Data_Base64", "x"}}).verdict(), "bad_field");
}

TEST(CloudEvents, what_is_missing_of_the_four_headers) {
    for (std::size_t missing = 0; missing < required.size(); ++missing) {
        auto headers = required;
        headers.erase(headers.begin() + static_cast<std::ptrdiff_t>(missing));
        const auto a = adapting(payload, headers);
        EXPECT_EQ(a.verdict(), "missing_field");
        EXPECT_EQ(
            a.rejection()->errors,
            std::vector<std::string>{required[missing].first.substr(3) + ": required, absent"});
        EXPECT_EQ(a.rejection()->payload.find("orderId").text(), "ORD-1");
    }
    EXPECT_EQ(adapting(payload, {{"ce-subject", "x"}}).verdict(), "400") << "none of them";
}

TEST(CloudEvents, required_attributes) {
    for (const std::string name : {"specversion", "id", "source", "type"}) {
        const auto a = [&](std::string_view value) {
            const auto begin = event.find("\"" + name + "\":");
            const auto end = event.find(',', begin);
            auto text = event;
            text.replace(begin, end - begin, "\"" + name + "\":" + std::string(value));
            return structured(std::move(text));
        };
        for (const std::string value : {"null", R"("")"}) {
            EXPECT_EQ(a(value).verdict(), "missing_field") << name << value;
            EXPECT_EQ(a(value).rejection()->errors.at(0), name + ": required, absent");
        }
        EXPECT_EQ(a("{}").verdict(), "bad_field") << name;
        EXPECT_EQ(a(R"("a\u0000")").verdict(), "bad_field") << name;
        EXPECT_EQ(a(R"("\ud83d")").verdict(), "bad_text") << name;
        EXPECT_EQ(a('"' + std::string(3'000, 'x') + '"').verdict(), "bad_field") << name;
    }
    EXPECT_EQ(structured(replaced(event, R"("id":"e-1")", R"("id":7)")).event()->event.id, "7");
    EXPECT_EQ(structured(with(R"("id":"e-2")")).verdict(), "duplicate_key");
}

TEST(CloudEvents, versions) {
    for (const std::string version : {"0.3", "1.1", "1.0.2", "1", " 1.0"}) {
        const auto a = structured(replaced(event, R"("1.0")", '"' + version + '"'));
        EXPECT_EQ(a.verdict(), "cloudevent") << version;
        EXPECT_EQ(a.rejection()->event_type, "OrderPlaced");
    }
    EXPECT_EQ(structured(replaced(event, R"("1.0")", "1.0")).verdict(), "bad_field");
}

TEST(CloudEvents, extensions_are_kept_as_sent) {
    const std::string extensions =
        R"("partitionkey":"K","n":-5,"yes":true,"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","tracestate":"a=b","odd":"\u0001x","camelCase":"kept")";
    const auto a = structured(with(extensions + R"(,"nothing":null,"empty":"")"));
    ASSERT_TRUE(a.event()) << a.verdict();
    EXPECT_THAT(a.event()->event.metadata,
                testing::EndsWith(R"("extensions":{)" + extensions + "}}"));
    EXPECT_EQ(a.event()->event.traceparent, "") << "the delivery's is another";
    const auto b = binary(payload, {{"ce-n", "5"}});
    EXPECT_THAT(b.event()->event.metadata, testing::EndsWith(R"("extensions":{"n":"5"}})"));
}

TEST(CloudEvents, extensions_of_no_type) {
    for (const std::string value :
         {"1.5", "1e3", "2147483648", "-2147483649", "99999999999999999999", "{}", "[1]"}) {
        EXPECT_EQ(structured(with("\"n\":" + value)).verdict(), "bad_field") << value;
    }
    for (const std::string value : {"2147483647", "-2147483648", "0", "-0", "false"}) {
        EXPECT_EQ(structured(with("\"n\":" + value)).verdict(), "accepted") << value;
    }
}

TEST(CloudEvents, data) {
    const auto verdict = [](std::string_view data) {
        return structured(with_data(data)).verdict();
    };
    EXPECT_EQ(verdict(R"("data":{"a":1})"), "accepted") << "JSON where nothing is said";
    EXPECT_EQ(verdict(R"("data":"{\"a\":1}")"), "not_an_object") << "a text stays one";
    EXPECT_EQ(verdict(R"("data":[{}])"), "not_an_object");
    EXPECT_EQ(verdict(R"("data":null)"), "missing_field");
    EXPECT_EQ(verdict(R"("x":"y")"), "missing_field");
    EXPECT_EQ(verdict(R"("datacontenttype":"text/plain","data":"{}")"), "not_an_object");
    EXPECT_EQ(verdict(R"("datacontenttype":"application/xml","data":"<a/>")"), "not_an_object");
    EXPECT_EQ(verdict(R"("data":{},"data_base64":"e30=")"), "ambiguous_field");
}

TEST(CloudEvents, data_in_base64) {
    const auto verdict = [](std::string_view type, std::string_view bytes) {
        return structured(with_data(R"("datacontenttype":)" + std::string(type) +
                                    R"(,"data_base64":")" + base64_encode(bytes) + '"'))
            .verdict();
    };
    for (const std::string type : {R"("application/json")", R"("text/JSON; charset=utf-8")",
                                   R"("application/vnd.x+json")"}) {
        EXPECT_EQ(verdict(type, payload), "accepted") << type;
    }
    EXPECT_EQ(verdict("null", payload), "missing_field") << "it may be anything";
    EXPECT_EQ(verdict(R"("application/octet-stream")", payload), "not_json");
    EXPECT_EQ(verdict(R"("json")", payload), "not_json");
    EXPECT_EQ(verdict(R"("application/json")", "nonsense{"), "not_json");
    EXPECT_EQ(verdict(R"("application/json")", "[]"), "not_an_object");
    EXPECT_EQ(verdict(R"("application/json")", R"({"a":"\ud83d"})"), "bad_text");
    EXPECT_EQ(structured(with_data(R"("datacontenttype":"application/json","data_base64":"*")"))
                  .verdict(),
              "bad_base64");
    EXPECT_EQ(
        structured(with_data(R"("datacontenttype":"application/json","data_base64":5)")).verdict(),
        "bad_base64");
    const auto a = structured(with_data(R"("data":null,"datacontenttype":"application/json",)"
                                        R"("data_base64":"eyJhIjoxfQ==")"));
    ASSERT_TRUE(a.event()) << a.verdict();
    EXPECT_EQ(a.event()->event.payload, R"({"a":1})");
}

TEST(CloudEvents, binary_bodies) {
    const auto verdict = [](std::string body, std::string type = "application/json") {
        return binary(std::move(body), {{"Content-Type", std::move(type)}}).verdict();
    };
    EXPECT_EQ(verdict(" \r\n" + payload + "\n"), "accepted");
    EXPECT_EQ(verdict("\xef\xbb\xbf" + payload), "accepted");
    EXPECT_EQ(binary(payload).verdict(), "accepted") << "no Content-Type: JSON";
    EXPECT_EQ(verdict(""), "missing_field");
    EXPECT_EQ(verdict(" "), "missing_field");
    EXPECT_EQ(verdict("nonsense"), "not_json");
    EXPECT_EQ(verdict("{"), "not_json");
    EXPECT_EQ(verdict("[]"), "not_an_object");
    EXPECT_EQ(verdict("\"text\""), "not_an_object");
    EXPECT_EQ(verdict(payload, "text/plain"), "not_json");
    EXPECT_EQ(verdict("Hello, World!", "text/plain; charset=us-ascii"), "not_json");
    EXPECT_EQ(verdict("<msg/>", "application/xml"), "not_json");
    EXPECT_EQ(verdict("{\"a\":\"\xff\"}"), "bad_text");
    EXPECT_EQ(verdict(nested(511)), "accepted");
    EXPECT_EQ(verdict(nested(512)), "too_deep") << "as deep as at any other door";
}

/// The body of a binary event becomes a value of the structured one, and no more than that.
TEST(CloudEvents, a_body_that_would_go_on_as_attributes) {
    for (const std::string body :
         {R"({},"id":"e-2")", R"({}},{"id":"e-2")", R"({},"data":{})", R"({},"data":{}})",
          R"({}}//)", R"(1,"source":"/evil","data":{})"}) {
        const auto a = binary(body);
        EXPECT_EQ(a.verdict(), "not_json") << body;
        EXPECT_EQ(a.rejection()->event_id, "e-1");
        EXPECT_EQ(a.rejection()->scope, "https://shop.example/orders");
        const auto kept = json::Document::parse(a.rejection()->raw);
        std::string bytes;
        ASSERT_TRUE(base64_decode(kept->root().find("data_base64").text(), bytes));
        EXPECT_EQ(bytes, body) << "kept whole";
    }
}

TEST(CloudEvents, the_longest_prefix_names_the_source) {
    const CloudEventsRules rules{.map = {{"https://shop.example/", "shop"},
                                         {"https://shop.example/orders", "aws"},
                                         {"https://shop.example/orders/eu", "eu"},
                                         {"/warehouse", "warehouse"}}};
    EXPECT_EQ(structured(event, rules).event()->event.source, "aws");
    EXPECT_EQ(rules.source_of("https://shop.example/payments"), "shop");
    EXPECT_EQ(rules.source_of("https://shop.example"), "cloudevents");
    EXPECT_EQ(rules.source_of("https://shop.example/orders/eu/1"), "eu");
    EXPECT_EQ(rules.source_of("/warehouse"), "warehouse");
    EXPECT_EQ(rules.source_of(""), "cloudevents");
    EXPECT_EQ(CloudEventsRules{.otherwise = "azure"}.source_of("/warehouse"), "azure");
    EXPECT_EQ(structured(replaced(event, R"("type":)", R"("x":)"), rules).rejection()->source,
              "aws")
        << "of a rejection too";
}

TEST(CloudEvents, types) {
    const auto type = [](std::string_view name) {
        const auto a = structured(replaced(event, "com.example.OrderPlaced", name));
        return a.event() == nullptr ? a.verdict() : a.event()->event.type;
    };
    EXPECT_EQ(type("OrderPlaced"), "OrderPlaced");
    EXPECT_EQ(type("com.example.OrderPlaced.v2"), "OrderPlaced");
    EXPECT_EQ(type("OrderPlaced.V10"), "OrderPlaced");
    EXPECT_EQ(type("a.v"), "v");
    EXPECT_EQ(type("v1"), "v1");
    EXPECT_EQ(type(".v1"), "v1");
    EXPECT_EQ(type("a..v1"), "a..v1");
    EXPECT_EQ(type("a."), "a.");
}

TEST(CloudEvents, what_is_kept_of_a_request_that_is_none) {
    const auto a = structured("{\"a\"");
    ASSERT_TRUE(a.refusal() && a.refusal()->kept);
    EXPECT_EQ(a.refusal()->kept->reason, "not_json");
    EXPECT_EQ(adapting("{}", {}).refusal()->kept->reason, "not_an_envelope");
}

}  // namespace
}  // namespace helios::adapters
