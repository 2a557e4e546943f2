#pragma once
/// For property tests of this room: events of a small shop that agree, differ and repeat each
/// other.

#include <ostream>
#include <rapidcheck.h>
#include <string>
#include <vector>

#include "reconcile/test_kit.h"

namespace helios::reconcile::test {

/// An event of a scenario: what it says and when it happened; its id is its place in the scenario.
struct Fact {
    int kind = 0;  // 0 order, 1 payment, 2 stock
    int key = 0;   // A0…A2
    int identity = 0;
    int amount = 0;
    int status = 0;
    int second = 0;
    int tenth = 0;         // of the envelope's time
    bool payload = false;  // the payload has a time of its own, to the second
};

inline std::ostream& operator<<(std::ostream& out, const Fact& f) {
    return out << "{kind " << f.kind << " key " << f.key << " identity " << f.identity << " amount "
               << f.amount << " status " << f.status << " second " << f.second << "." << f.tenth
               << (f.payload ? " by itself" : "") << "}";
}

inline model::Event event_of(const Fact& f, std::string name) {
    const std::string key = "A" + std::to_string(f.key);
    const std::string amount =
        std::vector<std::string>{"5", "5.00", "6", "\"1,0\""}[static_cast<std::size_t>(f.amount)];
    const std::string status =
        std::vector<std::string>{"AUTHORIZED", "DECLINED", "VOIDED", "captured",
                                 "PONDERED"}[static_cast<std::size_t>(f.status)];
    const std::string identity = std::to_string(f.identity);
    const std::string own =
        f.payload ? R"(,"timestamp":")" + format_rfc3339(noon(f.second)) + "\"" : "";
    const Instant time = noon(f.second + f.tenth / 10.0);
    switch (f.kind) {
        case 0:
            return event("aws", "OrderPlaced", name,
                         R"({"orderId":")" + key + R"(","total":)" + amount +
                             R"(,"items":[{"sku":"X","qty":)" + identity + "}]" + own + "}",
                         time);
        case 1:
            return event("gcp", "PaymentProcessed", name,
                         R"({"orderId":")" + key + R"(","paymentId":"P)" + identity +
                             R"(","amount":)" + amount + R"(,"status":")" + status + "\"" + own +
                             "}",
                         time);
        default:
            return event("azure", "InventoryReserved", name,
                         R"({"orderId":")" + key + R"(","reservationId":"R)" + identity +
                             R"(","items":[{"sku":"X","qty":)" + std::to_string(f.amount) + "}]" +
                             own + "}",
                         time);
    }
}

inline rc::Gen<Fact> any_fact() {
    return rc::gen::build<Fact>(rc::gen::set(&Fact::kind, rc::gen::inRange(0, 3)),
                                rc::gen::set(&Fact::key, rc::gen::inRange(0, 3)),
                                rc::gen::set(&Fact::identity, rc::gen::inRange(0, 3)),
                                rc::gen::set(&Fact::amount, rc::gen::inRange(0, 4)),
                                rc::gen::set(&Fact::status, rc::gen::inRange(0, 5)),
                                rc::gen::set(&Fact::second, rc::gen::element(0, 1, 2, 40)),
                                rc::gen::set(&Fact::tenth, rc::gen::inRange(0, 3)),
                                rc::gen::set(&Fact::payload, rc::gen::arbitrary<bool>()));
}

}  // namespace helios::reconcile::test
