#pragma once
/// For tests of this room: events as a person writes them, case records and engines fed from them.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/json.h"
#include "log/log.h"
#include "model/topics.h"
#include "reconcile/engine.h"
#include "reconcile/extract.h"
#include "reconcile/flow.h"

namespace helios::reconcile::test {

inline Instant at(std::string_view text) {
    return parse_rfc3339(text)->at;
}
/// Seconds after a fixed noon.
inline Instant noon(double seconds) {
    return at("2026-01-05T12:00:00Z") + Duration(static_cast<std::int64_t>(seconds * 1e9));
}

inline model::Event event(std::string source, std::string type, std::string id, std::string payload,
                          std::optional<Instant> time = {}) {
    model::Event e(default_tenant());
    e.source = std::move(source);
    e.type = std::move(type);
    e.id = std::move(id);
    e.payload = std::move(payload);
    e.time = time;
    return e;
}

/// The records that route would make of one event for one flow.
inline std::vector<model::LegRecord> legs_of(const Flow& flow, const model::Event& e,
                                             Instant log_time, bool opens = true) {
    std::vector<model::LegRecord> out;
    auto document = json::Document::parse(e.payload);
    HELIOS_ASSERT(document.has_value(), "a test's payload is JSON");
    for (const Leg& leg : flow.legs) {
        if (leg.wants(e.source, e.type)) {
            Arrival arrival{
                {{model::topic::other, 0}, Offset{static_cast<std::uint64_t>(to_nanos(log_time))}},
                log_time};
            if (auto record = extract(flow, leg, opens, e, document->root(), arrival)) {
                record->passed = log_time;
                out.push_back(std::move(*record));
            }
        }
    }
    return out;
}

inline model::FlowRecord flow_record(const Flow& flow, Instant when) {
    model::FlowRecord record(default_tenant());
    record.at = when;
    record.passed = when;
    record.flow = flow.name;
    record.version = flow.version;
    record.text = flow.text;
    record.hash = flow.hash;
    return record;
}

/// Stopped from `from` to `to`, seconds after noon; grace 30 s.
inline model::AbsenceRecord away(double from, double to) {
    return {noon(from), noon(to), std::chrono::seconds(30), {}, {}, model::AbsenceCause::start};
}

inline std::shared_ptr<const Flow> order_flow() {
    static const auto flow =
        std::make_shared<const Flow>(*parse_flow(shipped_order_flow(), "order.yaml"));
    return flow;
}

/// The same, as a later version.
inline std::shared_ptr<const Flow> order_flow_of(std::uint32_t version) {
    std::string text = order_flow()->text;
    const std::string shipped = "version: " + std::to_string(order_flow()->version);
    text.replace(text.find(shipped), shipped.size(), "version: " + std::to_string(version));
    return std::make_shared<const Flow>(*parse_flow(text, "order.yaml"));
}

/// What a log of Helios holds.
inline std::vector<log::TopicSpec> all_topics() {
    std::vector<log::TopicSpec> specs;
    for (const auto& topic : model::all_topics) {
        specs.push_back({topic.id, std::string(topic.name),
                         static_cast<log::RetentionClass>(topic.kept), topic.partitions});
    }
    return specs;
}

/// Key, status, findings except late, chosen events, amounts.
inline std::string settled_text(const model::Verdict& v) {
    std::string out = v.key + " " + std::string(model::to_string(v.status));
    for (const auto& leg : v.missing) {
        out += " missing:" + leg;
    }
    for (const auto& f : v.findings) {
        if (f.kind != model::FindingKind::late) {
            out += "\n  " + std::string(model::to_string(f.kind)) + "|" + f.leg + "|" + f.check +
                   "|" + f.expected + "|" + f.actual + "|" + f.tolerance + "|" + f.unit + "|" +
                   f.detail + "|" + (f.final ? "final" : "");
        }
    }
    for (const auto& e : v.events) {
        out += "\n  event " + e.leg + " " + e.event_id;
    }
    for (const auto& money : v.at_risk) {
        out += "\n  at risk " + money.amount + " " + money.currency;
    }
    return out;
}

/// An engine with a flow, fed with events.
struct Bench {
    MemoryClosedCases closed;
    Engine engine{closed};
    std::shared_ptr<const Flow> flow;
    std::vector<Revision> revisions;

    explicit Bench(std::shared_ptr<const Flow> f = order_flow()) : flow(std::move(f)) {
        engine.on_record(flow_record(*flow, noon(-3600)));
    }

    void feed(const model::CaseRecord& record) { engine.on_record(record, revisions); }
    void feed(const model::Event& e, Instant log_time) {
        for (const auto& record : legs_of(*flow, e, log_time)) {
            feed(model::CaseRecord(record));
        }
    }
    void order(double s, std::string payload, std::string id = "o-1") {
        feed(event("aws", "OrderPlaced", id, payload, noon(s)), noon(s));
    }
    void payment(double s, std::string payload, std::string id = "p-1") {
        feed(event("gcp", "PaymentProcessed", id, payload, noon(s)), noon(s));
    }
    void stock(double s, std::string payload, std::string id = "i-1") { stock(s, s, payload, id); }
    void stock(double s, double happened, std::string payload, std::string id = "i-1") {
        feed(event("azure", "InventoryReserved", id, payload, noon(happened)), noon(s));
    }
    void tick(double s) { feed(model::CaseRecord(model::TickRecord{noon(s)})); }

    const model::Verdict& last() const { return revisions.back().verdict; }
    /// "partial missing=inventory amount duplicate": the last revision in one line.
    std::string line() const {
        const auto& v = last();
        std::string out(model::to_string(v.status));
        for (const auto& f : v.findings) {
            out += " " + std::string(model::to_string(f.kind)) +
                   (f.kind == model::FindingKind::missing ? "=" + f.leg : "");
        }
        return out;
    }
};

inline constexpr const char* good_order =
    R"({"orderId":"A1","customerId":"C1","totalAmount":"12.50","currency":"USD","items":[{"productId":"X","price":6.25,"qty":2}]})";
inline constexpr const char* good_payment =
    R"({"orderId":"A1","paymentId":"P1","amount":12.5,"currency":"USD","status":"AUTHORIZED"})";
inline constexpr const char* good_stock =
    R"({"orderId":"A1","reservationId":"R1","items":[{"sku":"X","quantity":2}]})";

}  // namespace helios::reconcile::test
