/// One table of odd inputs, sent through every door: the same input has the same outcome, for the
/// same reason and in the same words. Members have each protocol's own names; what is said of them
/// is compared without.

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>

#include "adapters/event_line.h"
#include "gateway/test_kit.h"
#include "model/admission.h"

namespace helios::gateway {
namespace {

/// An event by its parts, each as JSON text as it is to be sent; nullopt: not there.
struct Parts {
    std::optional<std::string> type = R"("OrderPlaced")";
    std::optional<std::string> id = R"("e-1")";
    std::optional<std::string> payload = R"({"orderId":"K-1","customerId":"C"})";
    std::optional<std::string> source = R"("aws")";  ///< event lines only, as the rest
    std::string more{};                              ///< further members: ,"name":…
};

/// What became of it: "accepted" and the key, or the reason and what was said first.
struct Outcome {
    std::string what;
    std::string words;
    friend bool operator==(const Outcome&, const Outcome&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Outcome& o) {
        return out << o.what << " | " << o.words;
    }
};

void open(Rig& rig) {
    rig.options.index_directory.clear();  // there are hundreds of them
    rig.open();
}

std::string sent(std::string_view name, const std::optional<std::string>& value) {
    return value ? ",\"" + std::string(name) + "\":" + *value : "";
}
std::string object(std::string members) {
    members[0] = '{';
    return members + "}";
}
std::string line_of(const Parts& p) {
    return object(sent("source", p.source) + sent("eventType", p.type) + sent("id", p.id) +
                  sent("payload", p.payload) + p.more + R"(,"unknown":[1])");
}
std::string eventbridge_of(const Parts& p) {
    return object(
        sent("detail-type", p.type) + sent("id", p.id) + sent("detail", p.payload) +
        R"(,"version":"0","source":"shop","account":"012345678901","time":"2026-01-05T10:23:45Z","region":"eu")");
}
std::string sns_of(const Parts& p) {
    // Not json::append_string: it would repair what is no UTF-8.
    std::string message;
    for (const char c : eventbridge_of(p)) {
        message += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    }
    return R"({"Type":"Notification","MessageId":"m-1","TopicArn":"arn:t","Message":")" + message +
           R"("})";
}
std::string pubsub_of(const Parts& p) {
    std::string message = p.payload ? ",\"data\":\"" + base64_encode(*p.payload) + '"' : "";
    message += sent("messageId", p.id) + R"(,"publishTime":"2026-01-05T10:23:47Z","attributes":)";
    return R"({"message":)" +
           object(message + (p.type ? object(sent("eventType", p.type)) : "{}")) +
           R"(,"subscription":"projects/p/subscriptions/s"})";
}
std::string eventgrid_of(const Parts& p) {
    return object(
        sent("eventType", p.type) + sent("id", p.id) + sent("data", p.payload) +
        R"(,"topic":"/t","subject":"s","eventTime":"2026-01-05T10:23:48Z","dataVersion":"1")");
}

std::string cloudevent_of(const Parts& p) {
    return object(sent("type", p.type) + sent("id", p.id) + sent("data", p.payload) +
                  R"(,"specversion":"1.0","source":"/shop","time":"2026-01-05T10:23:48Z","ext":5)");
}

/// "message.data.note: invalid UTF-8 (byte 7)" → "payload.note: invalid UTF-8": no protocol's
/// names, no places.
std::string words_of(std::string text) {
    for (const auto& [own, common] :
         {std::pair<std::string, std::string>{"detail-type", "eventType"},
          {"message.attributes.eventType", "eventType"},
          {"type", "eventType"},
          {"message.messageId", "id"},
          {"message.data", "payload"},
          {"detail", "payload"},
          {"data", "payload"}}) {
        if (text.starts_with(own + ":") || text.starts_with(own + ".") ||
            text.starts_with(own + "[")) {
            text.replace(0, own.size(), common);
            break;
        }
    }
    return text.substr(0, text.find(" (byte "));
}

constexpr std::string_view neighbour = "neighbour";  ///< key of good events around the odd one

enum class Takes : std::uint8_t {
    lines,        ///< event lines
    envelopes,    ///< a cloud's own
    cloudevents,  ///< whose id is required
    payloads,     ///< envelopes that are headers: their texts are no JSON
};

struct Door {
    const char* name;
    Takes takes;
    std::function<Outcome(Rig&, const Parts&)> send;
};

/// Of the last item that came: the answer of a cloud does not say why.
Outcome as_kept(Rig& rig, bool accepted) {
    if (accepted) {
        auto events = rig.events();
        std::erase_if(events, [](const Kept& record) { return record.event().key == neighbour; });
        return {"accepted", events.empty() ? "" : events.back().event().key};
    }
    const auto kept = rig.kept_whole().back().quarantined();
    EXPECT_EQ(std::ranges::count(model::quarantine_reasons, kept.reason), 1) << kept.reason;
    return {kept.reason, words_of(kept.errors.front())};
}

/// In the middle of three; its neighbours must be taken, whatever it is.
Outcome of_batch(Rig& rig, const std::string& body, std::string_view media_type) {
    const auto response = rig.send(Endpoint::batch, body, media_type);
    const auto document = json::Document::parse(response.body);
    const auto items = document->root().find("items");
    if (items.size() != 3) {
        return {std::to_string(response.status), response.body};
    }
    EXPECT_EQ(items.at(0).find("status").text(), "accepted") << body;
    EXPECT_EQ(items.at(2).find("status").text(), "accepted") << body;
    const auto item = items.at(1);
    return item.find("status").text() == "accepted"
               ? as_kept(rig, true)
               : Outcome{std::string(item.find("reason").text()),
                         words_of(std::string(item.find("errors").at(0).text()))};
}

Outcome offline(const std::string& line) {
    const auto parsed = adapters::parse_offline_line(line);
    const auto& item = std::get<adapters::EventLine>(parsed.content).item;
    if (const auto* rejection = std::get_if<adapters::Rejection>(&item)) {
        return {rejection->reason, words_of(rejection->errors.front())};
    }
    const auto& adapted = std::get<adapters::AdaptedEvent>(item);
    auto event = adapted.event;
    const auto admission = model::admit(event, adapted.payload, model::Catalogue::shipped(),
                                        [](const TenantId&, std::string_view) { return false; });
    return admission.admitted() ? Outcome{"accepted", event.key}
                                : Outcome{admission.reason, words_of(admission.errors.front())};
}

const std::vector<Door>& doors() {
    static const std::vector<Door> all{
        {"direct", Takes::lines,
         [](Rig& rig, const Parts& p) {
             const auto response = rig.ingest(line_of(p));
             return response.status == 400 ? Outcome{"400", ""}
                                           : as_kept(rig, response.status == 202);
         }},
        {"array", Takes::lines,
         [](Rig& rig, const Parts& p) {
             return of_batch(rig,
                             "[" + order("n-1", neighbour) + "," + line_of(p) + "," +
                                 order("n-2", neighbour) + "]",
                             "application/json");
         }},
        {"lines", Takes::lines,
         [](Rig& rig, const Parts& p) {
             return of_batch(
                 rig,
                 order("n-1", neighbour) + "\r\n" + line_of(p) + "\n\n" + order("n-2", neighbour),
                 "application/x-ndjson");
         }},
        {"offline", Takes::lines, [](Rig&, const Parts& p) { return offline(line_of(p)); }},
        {"EventBridge", Takes::envelopes,
         [](Rig& rig, const Parts& p) {
             const auto response = rig.send(Endpoint::aws_eventbridge, eventbridge_of(p));
             EXPECT_EQ(response.status, 200);
             return as_kept(rig, member(response, "status") == "accepted");
         }},
        {"SNS", Takes::envelopes,
         [](Rig& rig, const Parts& p) {
             const auto response = rig.send(Endpoint::aws_eventbridge, sns_of(p), "text/plain");
             EXPECT_EQ(response.status, 200);
             return as_kept(rig, member(response, "status") == "accepted");
         }},
        {"Pub/Sub", Takes::envelopes,
         [](Rig& rig, const Parts& p) {
             const auto before = rig.events().size();
             EXPECT_EQ(rig.send(Endpoint::gcp_pubsub, pubsub_of(p)).status, 204);
             return as_kept(rig, rig.events().size() > before);
         }},
        {"Event Grid", Takes::envelopes,
         [](Rig& rig, const Parts& p) {
             const auto response = rig.send(Endpoint::azure_eventgrid,
                                            "[" + eventgrid("n-1", R"({"orderId":"neighbour"})") +
                                                "," + eventgrid_of(p) + "]");
             EXPECT_EQ(response.status, 200);
             return as_kept(rig, member(response, "accepted") == "2");
         }},
        {"EventBridge's, CloudEvents", Takes::cloudevents,
         [](Rig& rig, const Parts& p) {
             const auto response = rig.send(Endpoint::aws_eventbridge, cloudevent_of(p),
                                            "application/cloudevents+json; charset=utf-8");
             EXPECT_EQ(response.status, 200);
             return as_kept(rig, member(response, "status") == "accepted");
         }},
        {"Event Grid's, CloudEvents", Takes::cloudevents,
         [](Rig& rig, const Parts& p) {
             const auto response = rig.send(
                 Endpoint::azure_eventgrid,
                 "[" + cloudevent_of({.id = R"("n-1")", .payload = R"({"orderId":"neighbour"})"}) +
                     "," + cloudevent_of(p) + "]",
                 "application/cloudevents-batch+json");
             EXPECT_EQ(response.status, 200);
             return as_kept(rig, member(response, "accepted") == "2");
         }},
        {"Pub/Sub's, a CloudEvent inside", Takes::cloudevents,
         [](Rig& rig, const Parts& p) {
             const auto before = rig.events().size();
             const auto body =
                 R"({"message":{"data":")" + base64_encode(cloudevent_of(p)) +
                 R"(","attributes":{"content-type":"application/cloudevents+json"},"messageId":"m-1"},"subscription":"s"})";
             EXPECT_EQ(rig.send(Endpoint::gcp_pubsub, body).status, 204);
             return as_kept(rig, rig.events().size() > before);
         }},
        {"EventBridge's, a binary CloudEvent", Takes::payloads,
         [](Rig& rig, const Parts& p) {
             auto request = Rig::request(p.payload.value_or(""));
             for (const auto& [name, value] : {std::pair<std::string, std::string>{"ce-id", "e-1"},
                                               {"ce-source", "/shop"},
                                               {"ce-specversion", "1.0"},
                                               {"ce-type", "com.example.OrderPlaced"}}) {
                 request.headers.emplace_back(name, value);
             }
             const auto response = rig.post(Endpoint::aws_eventbridge, std::move(request)).get();
             EXPECT_EQ(response.status, 200);
             return as_kept(rig, member(response, "status") == "accepted");
         }},
        {"Pub/Sub's, unwrapped", Takes::payloads, [](Rig& rig, const Parts& p) {
             const auto before = rig.events().size();
             auto request = Rig::request(p.payload.value_or(""));
             for (const auto& [name, value] :
                  {std::pair<std::string, std::string>{"x-goog-pubsub-message-id", "e-1"},
                   {"x-goog-pubsub-subscription-name", "projects/p/subscriptions/s"},
                   {"Eventtype", "OrderPlaced"}}) {
                 request.headers.emplace_back(name, value);
             }
             EXPECT_EQ(rig.post(Endpoint::gcp_pubsub, std::move(request)).get().status, 204);
             return as_kept(rig, rig.events().size() > before);
         }}};
    return all;
}

bool can_carry(const Door& door, const Parts& parts) {
    const Parts usual;
    return door.takes != Takes::payloads || (parts.type == usual.type && parts.id == usual.id);
}

/// Each door has a gateway of its own, so that no row is another's duplicate. `words`: of the
/// reason, or the key.
void expect_at(const std::function<bool(const Door&)>& which, std::string_view row,
               const Parts& parts, const Outcome& expected) {
    for (const auto& door : doors()) {
        if (!which(door) || !can_carry(door, parts)) {
            continue;
        }
        Rig rig;
        open(rig);
        EXPECT_EQ(door.send(rig, parts), expected) << row << " at the door " << door.name;
    }
}
void expect_everywhere(std::string_view row, const Parts& parts, const Outcome& expected) {
    expect_at([](const Door&) { return true; }, row, parts, expected);
}
/// An id that is no id is the content's, but for CloudEvents.
void expect_without_id(std::string_view row, const Parts& parts, const Outcome& expected) {
    expect_at([](const Door& door) { return door.takes != Takes::cloudevents; }, row, parts,
              expected);
    expect_at([](const Door& door) { return door.takes == Takes::cloudevents; }, row, parts,
              {"missing_field", "id: required, absent"});
}

Parts payload(std::string text) {
    Parts parts;
    parts.payload = std::move(text);
    return parts;
}
Parts id(std::string text) {
    Parts parts;
    parts.id = std::move(text);
    return parts;
}
Parts type(std::string text) {
    Parts parts;
    parts.type = std::move(text);
    return parts;
}
Parts note(const std::string& value) {
    return payload(R"({"orderId":"K-1","customerId":"C","note":)" + value + "}");
}
std::string quoted(std::string text) {
    return '"' + std::move(text) + '"';
}
std::string nested(std::size_t levels) {
    std::string out;
    for (std::size_t i = 0; i < levels; ++i) {
        out += R"({"a":)";
    }
    return out + "1" + std::string(levels, '}');
}

TEST(Doors, keys) {
    expect_everywhere("blanks are kept", payload(R"({"orderId":" K 1 "})"), {"accepted", " K 1 "});
    expect_everywhere("an empty string is absent", payload(R"({"orderId":"","order_id":"X"})"),
                      {"accepted", "X"});
    expect_everywhere("null is absent",
                      payload(R"({"orderId":null,"order_id":null,"order":{"id":"Y"}})"),
                      {"accepted", "Y"});
    expect_everywhere("nothing but empty ones", payload(R"({"orderId":""})"),
                      {"missing_field", "orderId: required, absent"});
    expect_everywhere("another case is another name", payload(R"({"OrderID":"X"})"),
                      {"missing_field", "orderId: required, absent"});
    expect_everywhere("a number's text", payload(R"({"orderId":0.120})"), {"accepted", "0.120"});
    expect_everywhere("a text of digits", payload(R"({"orderId":"0012"})"), {"accepted", "0012"});
    expect_everywhere("a huge number", payload(R"({"orderId":1e400})"), {"accepted", "1e400"});
    expect_everywhere("true", payload(R"({"orderId":true,"order_id":"X"})"),
                      {"bad_key", "orderId: a key is text or a number, this is boolean"});
    expect_everywhere("an object", payload(R"({"orderId":{}})"),
                      {"bad_key", "orderId: a key is text or a number, this is object"});
    expect_everywhere("NUL", payload(R"({"orderId":"a\u0000b"})"),
                      {"bad_key", "orderId: contains NUL, so that no URL could name it"});
    expect_everywhere("a byte order mark inside", payload("{\"orderId\":\"\xef\xbb\xbfX\"}"),
                      {"accepted", "\xef\xbb\xbfX"});
    expect_everywhere("1024 bytes",
                      payload(R"({"orderId":)" + quoted(std::string(1024, 'k')) + "}"),
                      {"accepted", std::string(1024, 'k')});
    expect_everywhere("1025 bytes",
                      payload(R"({"orderId":)" + quoted(std::string(1025, 'k')) + "}"),
                      {"bad_key", "orderId: longer than 1024 bytes"});
    expect_everywhere(
        "twice", payload(R"({"orderId":"A","orderId":"A"})"),
        {"duplicate_key", "orderId: occurs more than once, so which one is meant cannot be known"});
    expect_everywhere("twice where nobody looks", note(R"({"x":1,"x":2})"), {"accepted", "K-1"});
}

TEST(Doors, text) {
    const std::string high = "payload.note: a high surrogate without a low one";
    expect_everywhere("a lone surrogate", note(R"("\ud83d")"), {"bad_text", high});
    expect_everywhere("a pair that is none", note(R"("\ud83d\u0041")"), {"bad_text", high});
    expect_everywhere("the second half alone", note(R"("\udc00")"),
                      {"bad_text", "payload.note: a low surrogate without a high one"});
    expect_everywhere("an unknown escape", note(R"("\x41")"),
                      {"bad_text", "payload.note: an unknown escape in a string"});
    expect_everywhere("in a name", note(R"({"\ud83d":1})"), {"bad_text", high});
    expect_everywhere("in the key", payload(R"({"orderId":"\ud83d"})"),
                      {"bad_text", "payload.orderId: a high surrogate without a low one"});
    expect_everywhere("in the id", id(R"("\ud83d")"),
                      {"bad_text", "id: a high surrogate without a low one"});
    expect_everywhere("in the type", type(R"("\ud83d")"),
                      {"bad_text", "eventType: a high surrogate without a low one"});
    expect_everywhere("a pair", note(R"("\ud83d\ude00")"), {"accepted", "K-1"});
    expect_everywhere("escapes of control characters", note(R"("\u0000\n\u001b")"),
                      {"accepted", "K-1"});
}

/// SNS carries the envelope as text inside a text: there the outer one is what is no UTF-8, and
/// says so of its Message.
TEST(Doors, bytes) {
    for (const std::string bytes :
         {"\xff", "\xc0\xaf", "\xed\xa0\xbd", "\xe2\x82", "\xf8\x88\x80\x80\x80"}) {
        for (const auto& door : doors()) {
            Rig rig;
            open(rig);
            const auto expected = std::string_view(door.name) == "SNS"
                                      ? "Message: invalid UTF-8"
                                      : "payload.note: invalid UTF-8";
            EXPECT_EQ(door.send(rig, note(quoted("a" + bytes))), (Outcome{"bad_text", expected}))
                << door.name;
        }
    }
    for (const std::string& raw : {std::string("\x01"), std::string("\t"), std::string(1, '\0')}) {
        for (const auto& door : doors()) {
            Rig rig;
            open(rig);
            EXPECT_EQ(door.send(rig, note(quoted("a" + raw))).what, "bad_text") << door.name;
        }
    }
}

TEST(Doors, values) {
    for (const std::string word : {"NaN", "-Infinity", "None", "undefined", "0x10", "'x'"}) {
        expect_everywhere(word, note(word),
                          {"not_json", word[0] == '-'   ? "payload.note: expected a digit"
                                       : word[0] == '0' ? "payload.note: not a JSON value"
                                                        : "payload.note: not a JSON value"});
    }
    expect_everywhere("a leading zero", note("012"),
                      {"not_json", "payload.note: a number with a leading zero"});
    expect_everywhere("ten thousand digits", note(std::string(10'000, '9')), {"accepted", "K-1"});
    expect_everywhere("1e400", note("1e400"), {"accepted", "K-1"});
    const std::string as_deep_as_may_be =
        R"({"orderId":"K-1","customerId":"C","x":)" + nested(510) + "}";
    expect_everywhere("511 levels", payload(as_deep_as_may_be), {"accepted", "K-1"});
    for (const auto& door : doors()) {
        Rig rig;
        open(rig);
        EXPECT_EQ(door.send(rig, note(nested(511))).what, "too_deep") << door.name;
    }
}

TEST(Doors, payloads) {
    for (const auto& [text, kind] : {std::pair<std::string, std::string>{"[]", "array"},
                                     {"5", "number"},
                                     {R"("x")", "string"},
                                     {"true", "boolean"}}) {
        for (const auto& door : doors()) {
            Rig rig;
            open(rig);
            const auto outcome = door.send(rig, payload(text));
            EXPECT_EQ(outcome.what, "not_an_object") << text << " at the door " << door.name;
            EXPECT_TRUE(outcome.words.ends_with("must be an object, is " + kind))
                << outcome << " at the door " << door.name;
        }
    }
    const Outcome absent{"missing_field", "payload: required, absent"};
    expect_everywhere("null", payload("null"), absent);
    expect_everywhere("an empty string", payload(R"("")"), absent);
    Parts without;
    without.payload.reset();
    expect_everywhere("none", without, absent);
    expect_everywhere("an empty object", payload("{}"),
                      {"missing_field", "orderId: required, absent"});
}

TEST(Doors, ids) {
    const Outcome taken{"accepted", "K-1"};
    expect_without_id("empty: the content's", id(R"("")"), taken);
    expect_without_id("null: the content's", id("null"), taken);
    expect_everywhere("a number", id("5"), taken);
    expect_everywhere("blanks", id(R"(" e 1 ")"), taken);
    expect_everywhere("1024 bytes", id(quoted(std::string(1024, 'i'))), taken);
    expect_everywhere("1025 bytes", id(quoted(std::string(1025, 'i'))),
                      {"bad_field", "id: longer than 1024 bytes"});
    expect_everywhere("NUL", id(R"("a\u0000")"), {"bad_field", "id: contains control characters"});
    expect_everywhere("a line's end", id(R"("a\n")"),
                      {"bad_field", "id: contains control characters"});
    expect_everywhere("a control character of the other set", id(R"("a\u009b")"),
                      {"bad_field", "id: contains control characters"});
    expect_everywhere("true", id("true"), {"bad_field", "id: must be a string, is boolean"});
    expect_everywhere("an object", id("{}"), {"bad_field", "id: must be a string, is object"});
}

TEST(Doors, types) {
    const Outcome absent{"missing_field", "eventType: required, absent"};
    expect_everywhere("empty", type(R"("")"), absent);
    expect_everywhere("null", type("null"), absent);
    expect_everywhere("another case is another type", type(R"("orderplaced")"),
                      {"accepted", "K-1"});
    expect_everywhere("blanks", type(R"(" OrderPlaced ")"), {"accepted", "K-1"});
    expect_everywhere("a number", type("5"),
                      {"bad_field", "eventType: must be a string, is number"});
    expect_everywhere("512 bytes", type(quoted(std::string(512, 't'))), {"accepted", "K-1"});
    expect_everywhere("513 bytes", type(quoted(std::string(513, 't'))),
                      {"bad_field", "eventType: longer than 512 bytes"});
    expect_everywhere("NUL", type(R"("a\u0000")"),
                      {"bad_field", "eventType: contains control characters"});
}

TEST(Doors, what_only_event_lines_have) {
    const auto more = [](std::string text) {
        Parts parts;
        parts.more = std::move(text);
        return parts;
    };
    const auto source = [](std::string text) {
        Parts parts;
        parts.source = std::move(text);
        return parts;
    };
    const auto everywhere = [](std::string_view row, const Parts& parts, const Outcome& expected) {
        expect_at([](const Door& door) { return door.takes == Takes::lines; }, row, parts,
                  expected);
    };
    const Outcome taken{"accepted", "K-1"};
    const std::string unknown =
        R"(is neither a cloud's, nor a sender's that the configuration has, nor named by an active flow)";
    everywhere("both spellings, equal", more(R"(,"type":"OrderPlaced")"), taken);
    everywhere("both spellings, one empty", more(R"(,"type":"")"), taken);
    everywhere("both spellings, differing", more(R"(,"type":"Other")"),
               {"ambiguous_field", R"(eventType: is "OrderPlaced", but type is "Other")"});
    auto other = more(R"(,"type":"OrderPlaced")");
    other.type = "null";
    everywhere("the other spelling alone", other, taken);
    everywhere("an unknown source", source(R"("mars\u202e")"),
               {"unknown_source", R"(source: "mars\u202e" )" + unknown});
    everywhere("a source in another case", source(R"("AWS")"),
               {"unknown_source", R"(source: "AWS" )" + unknown});
    everywhere("a source with a blank", source(R"("aws ")"),
               {"unknown_source", R"(source: "aws " )" + unknown});
    everywhere("an empty source", source(R"("")"), {"missing_field", "source: required, absent"});
    everywhere("a source that is a number", source("5"),
               {"bad_field", "source: must be a string, is number"});
    everywhere("NUL in a source", source(R"("aws\u0000")"),
               {"bad_field", "source: contains control characters"});
    everywhere(
        "a member twice", more(R"(,"id":"e-1")"),
        {"duplicate_key", "id: occurs more than once, so which one is meant cannot be known"});
    for (const std::string nothing : {"null", R"("")", "{}"}) {
        everywhere("no metadata: " + nothing, more(",\"metadata\":" + nothing), taken);
    }
    everywhere("metadata that is text", more(R"(,"metadata":"x")"),
               {"not_an_object", "metadata: must be an object, is string"});
    everywhere("what only an export has", more(R"(,"position":5)"), taken);
}

/// A broken structure: nobody can tell where an item ends.
TEST(Doors, broken_structure) {
    for (const std::string body : {"", " \n", "{", R"({"a":1,})", R"({"a" 1})", R"({a:1})",
                                   "nonsense", "NaN", "5", "\xff\xfe{\0", R"({"a":"\xff)"}) {
        for (const auto endpoint : {Endpoint::ingest, Endpoint::batch, Endpoint::aws_eventbridge,
                                    Endpoint::gcp_pubsub, Endpoint::azure_eventgrid}) {
            Rig rig;
            open(rig);
            EXPECT_EQ(rig.send(endpoint, body).status, 400) << body << " " << path_of(endpoint);
            EXPECT_EQ(rig.kept_whole().size(), 0u);
        }
        if (body.find_first_not_of(" \n") != std::string::npos) {
            const auto reason = offline(body).what;
            EXPECT_EQ(reason, body == "5" ? "not_an_object" : "not_json") << body;
        }
    }
    Rig rig;
    open(rig);
    EXPECT_EQ(rig.send(Endpoint::batch, line_of({}) + "{}").status, 400) << "trailing garbage";
    EXPECT_EQ(rig.ingest(line_of({}) + "]").status, 400);
    EXPECT_EQ(rig.send(Endpoint::batch, "[]").status, 200);
    const auto lines = rig.send(Endpoint::batch, line_of({}) + "\n" + line_of({}).substr(0, 40),
                                "application/x-ndjson");
    EXPECT_EQ(member(lines, "accepted") + member(lines, "quarantined"), "11")
        << "a line's end is known, whatever is in it";
}

TEST(Doors, a_byte_order_mark_before_it) {
    const std::string mark = "\xef\xbb\xbf";
    Rig rig;
    open(rig);
    EXPECT_EQ(rig.ingest(mark + line_of({})).status, 202);
    EXPECT_EQ(member(rig.send(Endpoint::batch, mark + "[" + order("b-1") + "]"), "accepted"), "1");
    EXPECT_EQ(member(rig.send(Endpoint::batch, mark + order("l-1") + "\n" + order("l-2"),
                              "application/x-ndjson"),
                     "accepted"),
              "2");
    EXPECT_EQ(offline(mark + line_of({})).what, "accepted");
    EXPECT_EQ(member(rig.send(Endpoint::aws_eventbridge, mark + eventbridge_of({})), "status"),
              "accepted");
    EXPECT_EQ(
        rig.send(Endpoint::gcp_pubsub, mark + pubsub_of(payload(mark + R"({"orderId":"K-1"})")))
            .status,
        204);
    EXPECT_EQ(member(rig.send(Endpoint::azure_eventgrid, mark + "[" + eventgrid("z-1") + "]"),
                     "accepted"),
              "1");
    for (const auto& door : doors()) {
        if (door.takes == Takes::payloads) {
            Rig other;
            open(other);
            EXPECT_EQ(door.send(other, payload(mark + R"({"orderId":"K-1"})")).what, "accepted")
                << door.name;
        }
    }
    EXPECT_EQ(rig.kept_whole().size(), 0u);
}

/// What headers carry waits in quarantine with it, and not the headers.
TEST(Doors, an_envelope_in_headers_is_kept_whole) {
    Rig rig;
    open(rig);
    auto request = Rig::request(R"({"amount":"1.00"})");
    request.headers.insert(request.headers.end(),
                           {{"x-goog-pubsub-message-id", "m-1"},
                            {"x-goog-pubsub-subscription-name", "projects/p/subscriptions/s"},
                            {"eventType", "PaymentProcessed"},
                            {"X-Api-Key", "very-secret"}});
    EXPECT_EQ(rig.post(Endpoint::gcp_pubsub, std::move(request)).get().status, 204);
    const auto kept = rig.kept_whole().at(0).quarantined();
    EXPECT_EQ(kept.reason, "missing_field");
    EXPECT_EQ(kept.event_id, "m-1");
    const auto wrapped = json::Document::parse(kept.body);
    ASSERT_TRUE(wrapped) << kept.body;
    EXPECT_EQ(wrapped->root().find("message").find("attributes").find("eventType").text(),
              "PaymentProcessed");
    EXPECT_EQ(kept.body.find("secret"), std::string::npos);
    EXPECT_EQ(rig.send(Endpoint::gcp_pubsub, kept.body).status, 204);
    EXPECT_EQ(rig.kept_whole().size(), 1u) << "wrapped, it is the same item again";
}

/// A body that grows on its way into quarantine finds room there: what came without its wrapper is
/// kept as base64.
TEST(Doors, the_largest_unwrapped_message_is_kept) {
    Rig rig;
    rig.log_options.record_bytes_max = rig.options.log_record_bytes();
    rig.log_options.segment_bytes = 64u << 20;
    open(rig);
    auto request = Rig::request(std::string(rig.options.body_bytes_max, 'x'));
    request.headers.emplace_back("x-goog-pubsub-message-id", "m-1");
    EXPECT_EQ(rig.post(Endpoint::gcp_pubsub, std::move(request)).get().status, 204);
    ASSERT_EQ(rig.kept_whole().size(), 1u);
    EXPECT_GT(rig.kept_whole()[0].quarantined().body.size(), rig.options.body_bytes_max);
}

http::Request with_headers(std::string body, const http::Headers& headers) {
    auto request = Rig::request(std::move(body));
    request.headers.insert(request.headers.end(), headers.begin(), headers.end());
    return request;
}

TEST(Doors, one_event_in_two_forms_is_one) {
    Rig rig;
    open(rig);
    const Parts parts;
    EXPECT_EQ(rig.send(Endpoint::gcp_pubsub, pubsub_of(parts)).status, 204);
    auto unwrapped = with_headers(
        *parts.payload, {{"x-goog-pubsub-message-id", "e-1"},
                         {"x-goog-pubsub-subscription-name", "projects/p/subscriptions/s"},
                         {"eventType", "OrderPlaced"}});
    EXPECT_EQ(rig.post(Endpoint::gcp_pubsub, std::move(unwrapped)).get().status, 204);
    EXPECT_EQ(rig.events().size(), 1u) << "wrapped and unwrapped";

    EXPECT_EQ(member(rig.send(Endpoint::aws_eventbridge, eventbridge_of(parts)), "status"),
              "accepted");
    auto raw = with_headers(eventbridge_of(parts), {{"x-amz-sns-rawdelivery", "true"},
                                                    {"x-amz-sns-message-type", "Notification"}});
    EXPECT_EQ(member(rig.post(Endpoint::aws_eventbridge, std::move(raw)).get(), "status"),
              "duplicate")
        << "by an API destination and by SNS";

    EXPECT_EQ(member(rig.send(Endpoint::aws_eventbridge, cloudevent_of(parts),
                              "application/cloudevents+json"),
                     "status"),
              "accepted")
        << "its source makes it another event";
    auto binary = with_headers(*parts.payload, {{"ce-id", "e-1"},
                                                {"ce-source", "/shop"},
                                                {"ce-specversion", "1.0"},
                                                {"ce-type", "com.example.OrderPlaced"}});
    EXPECT_EQ(member(rig.post(Endpoint::aws_eventbridge, std::move(binary)).get(), "status"),
              "duplicate")
        << "structured and binary";
    EXPECT_EQ(rig.events().size(), 3u);
    EXPECT_EQ(rig.kept_whole().size(), 0u) << "and no conflict";
}

TEST(Doors, batches_of_cloudevents_and_formats_that_are_not_read) {
    for (const auto& [endpoint, status] : {std::pair{Endpoint::aws_eventbridge, 200},
                                           {Endpoint::gcp_pubsub, 204},
                                           {Endpoint::azure_eventgrid, 200}}) {
        Rig rig;
        open(rig);
        const std::string type = "application/cloudevents-batch+json";
        Parts second;
        second.id = R"("e-2")";
        EXPECT_EQ(rig.send(endpoint, "[]", type).status, status);
        EXPECT_EQ(
            rig.send(endpoint, "[" + cloudevent_of({}) + "," + cloudevent_of(second) + ",5]", type)
                .status,
            status);
        EXPECT_EQ(rig.events().size(), 2u) << path_of(endpoint);
        EXPECT_EQ(rig.kept_whole().size(), 1u) << "one item's fault is its own";
        EXPECT_EQ(rig.send(endpoint, cloudevent_of({}), "application/cloudevents+avro").status, 400)
            << "clouds cannot send another";
        EXPECT_EQ(rig.send(endpoint, "{", "application/cloudevents+json").status, 400);
    }
}

}  // namespace
}  // namespace helios::gateway
