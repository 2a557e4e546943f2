// Every record type survives encode → decode, and no truncation or stray byte passes for a record.

#include <gtest/gtest.h>

#include "model/audit.h"
#include "model/case_record.h"
#include "model/counts.h"
#include "model/dlq_outcome.h"
#include "model/event.h"
#include "model/flow_activation.h"
#include "model/quarantined.h"
#include "model/redrive.h"
#include "model/verdict.h"

namespace helios::model {
namespace {

// Forgetting the tenant must not compile.
template <class... T>
constexpr bool has_no_default = (!std::is_default_constructible_v<T> && ...);
static_assert(has_no_default<Event, LegRecord, FlowRecord, FlowActivation, Quarantined,
                             QuarantineRepeat, Counts, DlqOutcome, Verdict>);

Event sample_event() {
    Event event(default_tenant());
    event.source = "aws";
    event.scope = "123456789012/eu-west-1";
    event.id = "e-1";
    event.type = "OrderPlaced";
    event.time = from_nanos(1'767'608'625'120'000'000);
    event.time_had_zone = false;
    event.key = "ORD-1";
    event.payload = R"({"orderId":"ORD-1","totalAmount":12.50})";
    event.metadata = R"({"region":"eu-west-1"})";
    event.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    event.warnings = {"customerId: expected, absent"};
    return event;
}

LegRecord sample_leg() {
    LegRecord record(default_tenant());
    record.flow = "order";
    record.flow_version = 3;
    record.opens = false;
    record.key = "ORD-1";
    record.leg = "payment";
    record.identity = "PAY-1";
    record.event = {{topic::payments, 7}, Offset{123456789}};
    record.event_id = "p-1";
    record.source = "gcp";
    record.type = "PaymentProcessed";
    record.event_time = from_nanos(5);
    record.at = from_nanos(-3);
    record.sequence = "10000000000000003000";
    record.reads = {
        {"amount", {ReadValue::Kind::decimal, "12.50", {}, "amount"}},
        {"quantities", {ReadValue::Kind::items, "", {{"SKU-1", "2"}, {"SKU-2", "1"}}, "items[]"}},
        {"status", {ReadValue::Kind::absent, "", {}, ""}}};
    record.notes = {"no zone"};
    record.doubts = {"timestamp is \"soon\": not a time"};
    return record;
}

FlowRecord sample_flow() {
    FlowRecord record(default_tenant());
    record.at = from_nanos(1);
    record.flow = "order";
    record.version = 2;
    record.text = "flow: order";
    record.hash = "abc";
    return record;
}

Verdict sample_verdict() {
    Verdict verdict(default_tenant());
    verdict.flow = "order";
    verdict.flow_version = 1;
    verdict.key_name = "orderId";
    verdict.key = "ORD-1";
    verdict.revision = 2;
    verdict.status = VerdictStatus::mismatched;
    verdict.findings = {{FindingKind::amount, "payment", "paid-in-full", "1299.00", "1298.00",
                         "0.00", "USD", Severity::error, true, ""}};
    verdict.events = {{"order",
                       "e-1",
                       "aws",
                       "OrderPlaced",
                       from_nanos(1'000'000'000),
                       from_nanos(2'000'000'000),
                       {{topic::orders, 1}, Offset{42}}},
                      {"payment",
                       "p-1",
                       "gcp",
                       "PaymentProcessed",
                       std::nullopt,
                       from_nanos(3'000'000'000),
                       {{topic::payments, 2}, Offset{43}}}};
    verdict.unlisted = {{"payment", 9900}};
    verdict.at_risk = {{"USD", "1299.00"}};
    verdict.opened_at = from_nanos(2'000'000'000);
    verdict.deadline = from_nanos(62'000'000'000);
    verdict.reconciled_at = from_nanos(3'000'000'000);
    verdict.at = from_nanos(3'000'000'000);
    return verdict;
}

/// Decoding every proper prefix, and the whole with one byte more, must be refused.
template <class Decode>
void expect_only_whole(const std::string& bytes, Decode decode) {
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        EXPECT_FALSE(decode(std::string_view(bytes).substr(0, n)).has_value())
            << "prefix of " << n << " bytes";
    }
    EXPECT_FALSE(decode(bytes + '\0').has_value());
}

TEST(Encoding, event_round_trips) {
    const auto event = sample_event();
    const auto bytes = encode(event);
    const auto decoded = decode_event(bytes);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, event);
    expect_only_whole(bytes, decode_event);
}

TEST(Encoding, case_records_round_trip) {
    const std::vector<CaseRecord> records{sample_leg(), TickRecord{from_nanos(9)},
                                          AbsenceRecord{from_nanos(4),
                                                        from_nanos(9),
                                                        Duration{7},
                                                        Duration{11},
                                                        {"aws"},
                                                        AbsenceCause::refused},
                                          sample_flow()};
    for (const auto& record : records) {
        const auto bytes = encode(record);
        const auto decoded = decode_case_record(bytes);
        ASSERT_TRUE(decoded.has_value());
        EXPECT_EQ(*decoded, record);
        EXPECT_EQ(at_of(*decoded), at_of(record));
        expect_only_whole(bytes, decode_case_record);
    }
}

TEST(Encoding, an_event_may_say_what_tells_its_content_apart) {
    auto event = sample_event();
    event.customer = "C";
    event.content = content_of(event);
    const auto bytes = encode(event);
    EXPECT_EQ(bytes.substr(bytes.size() - 18, 2), std::string("\x0a\x10"));
    const auto decoded = decode_event(bytes);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, event);
    auto shorter = bytes.substr(0, bytes.size() - 1);
    shorter[bytes.size() - 17] = '\x0f';
    EXPECT_FALSE(decode_event(shorter).has_value());
}

TEST(Event, content_is_type_and_canonical_payload_and_nothing_else) {
    const auto event = sample_event();
    auto other = event;
    other.payload = R"({ "totalAmount" : 12.50, "orderId" : "\u004fRD-1" })";
    other.time.reset();
    other.metadata = "{}";
    EXPECT_EQ(content_of(other), content_of(event));
    const auto parsed = json::Document::parse(event.payload);
    EXPECT_EQ(content_of(event.type, parsed->root()), content_of(event));
    other.payload = R"({"orderId":"ORD-1","totalAmount":12.5})";
    EXPECT_NE(content_of(other), content_of(event)) << "numbers as written";
    other.payload = event.payload;
    other.type = "OrderChanged";
    EXPECT_NE(content_of(other), content_of(event));
    other.payload = "not JSON";
    EXPECT_NE(content_of(other), content_of(event));
}

TEST(Encoding, verdict_round_trips) {
    const auto verdict = sample_verdict();
    const auto bytes = encode(verdict);
    const auto decoded = decode_verdict(bytes);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, verdict);
    expect_only_whole(bytes, decode_verdict);
}

TEST(Encoding, small_records_round_trip) {
    Quarantined item(default_tenant());
    item.id = "q-1";
    item.source = "aws";
    item.endpoint = "/x";
    item.reason = "missing_field";
    item.detail = "why";
    item.errors = {"orderId: required, absent"};
    item.event_id = "e";
    item.scope = "s";
    item.event_type = "T";
    item.key = "ORD-1";
    item.body = item.headers = "{}";
    const auto item_bytes = encode(item);
    ASSERT_EQ(decode_quarantined(item_bytes), item);
    expect_only_whole(item_bytes, decode_quarantined);

    QuarantineRepeat repeat(default_tenant());
    repeat.id = "q-1";
    repeat.times = 7;
    repeat.last_received_at = from_nanos(60'000'000'001);
    const auto repeat_bytes = encode(repeat);
    ASSERT_EQ(decode_quarantine_repeat(repeat_bytes), repeat);
    expect_only_whole(repeat_bytes, decode_quarantine_repeat);

    Counts counts(default_tenant());
    counts.hop = "gateway";
    counts.source = "aws";
    counts.minute = from_nanos(60'000'000'000);
    counts.deltas = {{"appended", 3}, {"received", 4}};
    const auto counts_bytes = encode(counts);
    ASSERT_EQ(decode_counts(counts_bytes), counts);
    expect_only_whole(counts_bytes, decode_counts);

    const AbsenceRecord absence{from_nanos(4), from_nanos(9),  Duration{7},
                                Duration{11},  {"aws", "gcp"}, AbsenceCause::refused};
    const auto absence_bytes = encode(absence);
    ASSERT_EQ(decode_absence(absence_bytes), absence);
    expect_only_whole(absence_bytes, decode_absence);
    EXPECT_EQ(to_hex(absence_bytes), "12080e1602036177730367637003");
    EXPECT_FALSE(
        decode_absence(encode(AbsenceRecord{from_nanos(9), from_nanos(9), {}, {}, {}, {}})))
        << "no stretch";

    FlowActivation activation(default_tenant());
    activation.flow = "order";
    activation.version = 4;
    activation.text = "flow: order\n";
    activation.hash = "hash";
    const auto activation_bytes = encode(activation);
    ASSERT_EQ(decode_flow_activation(activation_bytes), activation);
    expect_only_whole(activation_bytes, decode_flow_activation);
}

TEST(Encoding, outcomes_of_the_dlq_round_trip) {
    DlqOutcome outcome(default_tenant());
    outcome.id = "q-1";
    outcome.what = DlqResult::duplicate;
    outcome.attempt = 2;
    outcome.source = "aws";
    outcome.scope = "s";
    outcome.event_id = "e-1";
    outcome.event = Position{{topic::orders, 7}, Offset{300}};
    outcome.reason = "conflict";
    outcome.detail = "why";
    outcome.who = "ann";
    outcome.at = from_nanos(64);
    outcome.redrive = "r-1";
    outcome.edited = {"id", "payload"};
    const auto bytes = encode(outcome);
    ASSERT_EQ(decode_dlq_outcome(bytes), outcome);
    EXPECT_EQ(to_hex(bytes),
              "0764656661756c7403712d31010203617773017303652d31010107ac0208636f6e666c696374"
              "0377687903616e6e800103722d3102026964077061796c6f6164");
    expect_only_whole(bytes, decode_dlq_outcome);
    outcome.event.reset();
    outcome.unknown[77] = "later";
    ASSERT_EQ(decode_dlq_outcome(encode(outcome)), outcome);

    DlqOutcome other(default_tenant());
    other.what = static_cast<DlqResult>(6);
    EXPECT_FALSE(decode_dlq_outcome(encode(other))) << "no result that there is";
}

TEST(Encoding, redrives_round_trip) {
    RedriveRecord record(default_tenant());
    record.id = "r-1";
    record.phase = RedrivePhase::stopped;
    record.filter = R"({"source":"aws"})";
    record.who = "ann";
    record.at = from_nanos(64);
    record.until = from_nanos(65);
    record.total = 300;
    record.skipped = 2;
    record.detail = "why";
    const auto bytes = encode(record);
    ASSERT_EQ(decode_redrive(bytes), record);
    expect_only_whole(bytes, decode_redrive);
    EXPECT_EQ(
        to_hex(bytes),
        "0764656661756c7403722d3102107b22736f75726365223a22617773227d03616e6e80018201ac0202037"
        "76879");
    record.phase = static_cast<RedrivePhase>(3);
    EXPECT_FALSE(decode_redrive(encode(record))) << "no phase that there is";
}

TEST(Encoding, audit_round_trips) {
    AuditRecord record(*TenantId::parse("shop-7"));
    record.who = "ann";
    record.from = "127.0.0.1:4711";
    record.what = "flow.activate order";
    record.before = "version 1";
    record.after = "version 2";
    record.reason = "tolerance of a cent";
    record.outcome = "done";
    record.request_id = "r-1";
    record.writer = "w-1";
    record.number = 300;
    record.previous.fill(0xab);
    record.unknown[77] = "later";
    const auto bytes = encode(record);
    ASSERT_EQ(decode_audit(bytes), record);
    for (std::size_t length = 0; length + 7 < bytes.size(); ++length) {
        EXPECT_FALSE(decode_audit(bytes.substr(0, length))) << length;
    }
}

TEST(Encoding, a_tenant_that_is_none_is_refused_by_every_decoder) {
    for (const std::string& name : {std::string(), std::string("../"), std::string(1024, 'a')}) {
        ByteWriter out;
        out.string(name);
        for (const std::string& bytes :
             {encode(sample_event()), encode(sample_verdict()),
              encode(AuditRecord(default_tenant())), encode(FlowActivation(default_tenant())),
              encode(Counts(default_tenant())), encode(QuarantineRepeat(default_tenant())),
              encode(DlqOutcome(default_tenant())), encode(Quarantined(default_tenant()))}) {
            const std::string spoiled = out.view() + bytes.substr(sizeof("default"));
            EXPECT_FALSE(decode_event(spoiled) || decode_verdict(spoiled) ||
                         decode_audit(spoiled) || decode_flow_activation(spoiled) ||
                         decode_counts(spoiled) || decode_quarantine_repeat(spoiled) ||
                         decode_dlq_outcome(spoiled) || decode_quarantined(spoiled))
                << name;
        }
    }
}

TEST(Encoding, a_huge_count_inside_a_record_is_refused_quickly) {
    std::string bytes = encode(sample_event());
    bytes.back() = '\xff';  // the warnings' bytes now promise more than there is
    bytes += "\xff\xff\xff\xff\x7f";
    EXPECT_FALSE(decode_event(bytes).has_value());
}

TEST(Identity, each_part_matters) {
    const auto t = *TenantId::parse("t");
    const auto ts = *TenantId::parse("ts");
    const auto base = identity_of(t, "s", "c", "i");
    EXPECT_NE(base, identity_of(t, "s", "ci", ""));
    EXPECT_NE(base, identity_of(ts, "", "c", "i"));
    EXPECT_EQ(base, identity_of(t, "s", "c", "i"));
}

TEST(Identity, content_id_ignores_nothing_that_counts) {
    const auto id = content_id("aws", "OrderPlaced", std::nullopt, R"({"a":1})");
    EXPECT_EQ(id.size(), 64u);
    EXPECT_EQ(id, content_id("aws", "OrderPlaced", std::nullopt, R"({"a":1})"));
    EXPECT_NE(id, content_id("aws", "OrderPlaced", from_nanos(0), R"({"a":1})"));
    EXPECT_NE(id, content_id("gcp", "OrderPlaced", std::nullopt, R"({"a":1})"));
    EXPECT_NE(id, content_id("aws", "OrderPlaced", std::nullopt, R"({"a":1.0})"));
}

TEST(VerdictId, depends_on_revision_and_not_on_content) {
    auto a = sample_verdict();
    auto b = a;
    b.status = VerdictStatus::matched;
    EXPECT_EQ(verdict_id(a), verdict_id(b));
    b.revision = 3;
    EXPECT_NE(verdict_id(a), verdict_id(b));
}

TEST(VerdictJson, is_the_contract) {
    json::Writer out;
    write_json(out, sample_verdict(), [](const VerdictEvent& event) {
        return event.leg == "order" ? std::string(R"({"orderId":"ORD-1"})") : std::string();
    });
    EXPECT_EQ(
        out.view(),
        R"({"flow":"order","flowVersion":1,"key":"ORD-1","orderId":"ORD-1","instance":1,"revision":2,"status":"mismatched","missingEvents":[],)"
        R"("findings":[{"kind":"amount","leg":"payment","check":"paid-in-full","expected":"1299.00","actual":"1298.00","tolerance":"0.00","unit":"USD","severity":"error","final":true}],)"
        R"("events":{"order":{"eventId":"e-1","source":"aws","type":"OrderPlaced","time":"1970-01-01T00:00:01.000Z","receivedAt":"1970-01-01T00:00:02.000Z","payload":{"orderId":"ORD-1"}},)"
        R"("payment":{"eventId":"p-1","source":"gcp","type":"PaymentProcessed","receivedAt":"1970-01-01T00:00:03.000Z","payload":null,"expired":true}},)"
        R"("eventsNotListed":{"payment":9900},"atRisk":[{"currency":"USD","amount":"1299.00"}],"openedAt":"1970-01-01T00:00:02.000Z","deadline":"1970-01-01T00:01:02.000Z","reconciledAt":"1970-01-01T00:00:03.000Z"})");
}

TEST(VerdictJson, several_events_of_a_leg_are_an_array) {
    auto verdict = sample_verdict();
    verdict.events.resize(1);
    verdict.multi_legs = {"order"};
    json::Writer out;
    write_json(out, verdict);
    EXPECT_NE(out.view().find(R"("events":{"order":[{"eventId":"e-1")"), std::string::npos)
        << out.view();
    EXPECT_EQ(out.view().find("payload"), std::string::npos);
}

TEST(Names, parse_what_to_string_says) {
    for (const auto status : {VerdictStatus::pending, VerdictStatus::matched,
                              VerdictStatus::partial, VerdictStatus::mismatched}) {
        EXPECT_EQ(parse_status(to_string(status)), status);
    }
    for (int i = 0; i <= static_cast<int>(FindingKind::order); ++i) {
        EXPECT_EQ(parse_finding_kind(to_string(static_cast<FindingKind>(i))),
                  static_cast<FindingKind>(i));
    }
    for (int i = 0; i <= static_cast<int>(AbsenceCause::silent); ++i) {
        EXPECT_EQ(parse_absence_cause(to_string(static_cast<AbsenceCause>(i))),
                  static_cast<AbsenceCause>(i));
    }
    EXPECT_EQ(parse_absence_cause("away").error().kind, ErrorKind::invalid);
    EXPECT_EQ(parse_status("fine").error().kind, ErrorKind::invalid);
}

}  // namespace
}  // namespace helios::model
