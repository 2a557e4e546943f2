#include "lab/fault_plan.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <tuple>

#include "base/assert.h"
#include "base/currency.h"
#include "base/json.h"
#include "lab/random.h"

namespace helios::lab {
namespace {

using std::chrono::milliseconds;

/// One deal: each row of the scoreboard once. Missing legs and malformed ones count thrice between
/// them, as their kinds do.
constexpr std::array faults{
    Fault::duplicate_delivery, Fault::out_of_order,      Fault::late,          Fault::missing_order,
    Fault::missing_payment,    Fault::missing_inventory, Fault::declined,      Fault::wrong_amount,
    Fault::other_currency,     Fault::wrong_quantity,    Fault::double_charge, Fault::malformed,
};

std::vector<Fault> deal(const PlanOptions& options) {
    std::size_t faulty = std::max<std::size_t>(
        faults.size(), std::size_t{options.orders} * options.faulty_per_thousand / 1000);
    std::vector<Fault> dealt(options.orders, Fault::none);
    for (std::size_t i = 0; i < std::min<std::size_t>(faulty, dealt.size()); ++i) {
        dealt[i] = faults[i % faults.size()];
    }
    Random random(options.seed ^ 0x5eedfa17ULL);
    for (std::size_t i = dealt.size(); i > 1; --i) {
        std::swap(dealt[i - 1], dealt[random.below(i)]);
    }
    return dealt;
}

std::string money(const Order& order, const Decimal& amount) {
    return amount.to_string(currency_minor_units(order.currency));
}

Decimal plus(const Decimal& a, const Decimal& b) {
    auto sum = Decimal::add(a, b);
    HELIOS_ASSERT(sum.has_value(), "amounts of the shop fit a decimal");
    return *sum;
}

/// Makes one order's events and truth. Lives for one order.
class Maker {
public:
    Maker(const PlanOptions& options, std::uint64_t number, Fault fault, Duration at)
        : options_(options), random_(Random::of(options.seed ^ 0xfa17ULL, number)) {
        planned_.order = make_order(options.seed, number, options.start + at);
        planned_.fault = fault;
        planned_.truth.status = "matched";
    }

    PlannedOrder make() {
        usual_events();
        apply();
        // A repetition never overtakes what it repeats.
        std::ranges::sort(planned_.events, {}, [](const PlannedEvent& e) {
            return std::tuple(e.send_after, e.repeat, std::string_view(e.fact.event_id));
        });
        return std::move(planned_);
    }

private:
    Duration offset(Instant t) const { return t - options_.start; }

    std::string new_event_id(Leg leg, std::string_view what) {
        std::string name = fmt::format("{}/{}/{}", planned_.order.id, to_string(leg), what);
        if (cloud_of(leg) != Cloud::gcp) {
            return make_uuid(options_.seed, name);
        }
        return fmt::format("{}", 10'000'000'000'000'000ULL +
                                     random_.below(90'000'000'000'000'000ULL / 100) * 100 +
                                     planned_.events.size());
    }

    void add(Leg leg, std::string payload, Instant at, std::string_view what = "1") {
        PlannedEvent event;
        event.fact = {leg, new_event_id(leg, what), planned_.order.id, std::move(payload), at};
        event.send_after = offset(at);
        if (leg == Leg::order && random_.chance(300)) {
            event.wrapping = Wrapping::sns;
        }
        if (leg == Leg::payment && random_.chance(300)) {
            event.wrapping =
                random_.chance(500) ? Wrapping::camel_id_only : Wrapping::snake_id_only;
        }
        planned_.events.push_back(std::move(event));
    }

    void usual_events() {
        const Order& o = planned_.order;
        add(Leg::order, order_payload(o), o.placed_at);
        add(Leg::payment, payment_payload(o, charge_of(o)), o.paid_at);
        add(Leg::inventory, inventory_payload(o, o.items), o.reserved_at);
    }

    PlannedEvent& event_of(Leg leg) {
        auto it = std::ranges::find_if(planned_.events,
                                       [&](const PlannedEvent& e) { return e.fact.leg == leg; });
        HELIOS_ASSERT(it != planned_.events.end(), "the leg was planned");
        return *it;
    }

    void apply() {
        switch (planned_.fault) {
            case Fault::none:
                return;
            case Fault::duplicate_delivery:
                return deliver_twice();
            case Fault::out_of_order:
                return reorder();
            case Fault::late:
                return delay();
            case Fault::missing_order:
                return drop(Leg::order);
            case Fault::missing_payment:
                return drop(Leg::payment);
            case Fault::missing_inventory:
                return drop(Leg::inventory);
            case Fault::declined:
                return decline();
            case Fault::wrong_amount:
                return charge_wrongly();
            case Fault::other_currency:
                return charge_in_other_currency();
            case Fault::wrong_quantity:
                return reserve_wrongly();
            case Fault::double_charge:
                return charge_twice();
            case Fault::malformed:
                return malform();
        }
    }

    void order_at_risk() {
        planned_.truth.at_risk = {planned_.order.currency,
                                  money(planned_.order, planned_.order.total)};
    }

    void lacks(Leg leg) {
        planned_.truth.status = "partial";
        planned_.truth.missing = {std::string(to_string(leg))};
        order_at_risk();  // without the order the payment's own amount stands: the same figure, as
                          // only one thing is wrong
        if (leg == Leg::order) {
            planned_.truth.findings.push_back({"orphan", "", ""});
        }
    }

    void mismatches(std::string_view kind, std::string expected, std::string actual) {
        planned_.truth.status = "mismatched";
        planned_.truth.findings.push_back(
            {std::string(kind), std::move(expected), std::move(actual)});
        order_at_risk();
    }

    void drop(Leg leg) {
        planned_.leg = leg;
        std::erase_if(planned_.events, [&](const PlannedEvent& e) { return e.fact.leg == leg; });
        lacks(leg);
    }

    void deliver_twice() {
        planned_.leg = static_cast<Leg>(random_.below(3));
        PlannedEvent copy = event_of(planned_.leg);
        copy.repeat = true;
        if (planned_.leg == Leg::order) {  // the same EventBridge event by both ways
            copy.wrapping = copy.wrapping == Wrapping::sns ? Wrapping::usual : Wrapping::sns;
        }
        std::int64_t copies = random_.between(1, 3);
        for (std::int64_t i = 0; i < copies; ++i) {
            copy.send_after += milliseconds(random_.between(0, 600));
            planned_.events.push_back(copy);
        }
    }

    void reorder() {
        planned_.leg = Leg::order;
        Duration gap = milliseconds(random_.between(600, 1800));
        event_of(Leg::order).send_after += gap;
        if (random_.chance(500)) {
            event_of(Leg::payment).send_after += gap / 2;
        }
    }

    void delay() {
        planned_.leg = static_cast<Leg>(random_.below(3));
        event_of(planned_.leg).send_after = offset(planned_.order.reserved_at) + options_.late_by +
                                            milliseconds(random_.between(0, 700));
    }

    void decline() {
        planned_.leg = Leg::payment;
        Charge charge = charge_of(planned_.order);
        charge.status = random_.chance(500) ? "DECLINED" : "FAILED";
        event_of(Leg::payment).fact.payload = payment_payload(planned_.order, charge);
        lacks(Leg::payment);
    }

    void charge_wrongly() {
        planned_.leg = Leg::payment;
        const Order& o = planned_.order;
        int minor = currency_minor_units(o.currency);
        // From one smallest coin to a whole mug: the coin is what doubles lose.
        std::string_view small = minor == 0 ? "1" : "0.01";
        Decimal by =
            random_.chance(500) ? *Decimal::parse(small) : Decimal::from_int(random_.between(1, 9));
        Charge charge = charge_of(o);
        charge.amount = money(o, plus(o.total, random_.chance(500) ? by : by.negate()));
        event_of(Leg::payment).fact.payload = payment_payload(o, charge);
        mismatches("amount", money(o, o.total), charge.amount);
    }

    void charge_in_other_currency() {
        planned_.leg = Leg::payment;
        Charge charge = charge_of(planned_.order);
        charge.currency = planned_.order.currency == "EUR" ? "USD" : "EUR";
        event_of(Leg::payment).fact.payload = payment_payload(planned_.order, charge);
        mismatches("currency", planned_.order.currency, charge.currency);
    }

    void reserve_wrongly() {
        planned_.leg = Leg::inventory;
        std::vector<Item> reserved = planned_.order.items;
        Item& item = reserved[random_.below(reserved.size())];
        item.quantity += item.quantity > 1 && random_.chance(500) ? -1 : 1;
        event_of(Leg::inventory).fact.payload = inventory_payload(planned_.order, reserved);
        mismatches("quantity", "", "");
    }

    void charge_twice() {
        planned_.leg = Leg::payment;
        Charge again = charge_of(planned_.order);
        again.payment_id += "-B";
        again.at += milliseconds(random_.between(40, 900));
        add(Leg::payment, payment_payload(planned_.order, again), again.at, "2");
        mismatches("duplicate", "", "");
    }

    void malform();
    void spoil(PlannedEvent& event, std::string_view how, std::string payload) {
        event.fact.payload = std::move(payload);
        event.reaches_case = false;
        planned_.malformed_how = how;
    }

    const PlanOptions& options_;
    Random random_;
    PlannedOrder planned_;
};

/// Each way is one that the catalogue or the envelope rules forbid, in an envelope that is still
/// its cloud's.
void Maker::malform() {
    planned_.leg = static_cast<Leg>(random_.below(3));
    PlannedEvent& event = event_of(planned_.leg);
    const Order& o = planned_.order;
    std::string whole = event.fact.payload;
    // In the order's own spelling, so that the doubled key is the one that counts.
    std::string twice = fmt::format(R"({{"{}":"{}-B",)",
                                    o.spelling == Spelling::snake ? "order_id" : "orderId", o.id) +
                        whole.substr(1);
    bool first = random_.chance(500);
    switch (planned_.leg) {
        case Leg::order:
            if (first) {
                spoil(event, "no order id",
                      fmt::format(R"({{"customerId":"{}","totalAmount":"{}"}})", o.customer_id,
                                  money(o, o.total)));
            } else {
                spoil(event, "two order ids", twice);
            }
            break;
        case Leg::payment:
            if (first) {
                spoil(event, "no amount",
                      fmt::format(R"({{"orderId":"{}","paymentId":"{}","status":"AUTHORIZED"}})",
                                  o.id, o.payment_id));
            } else {
                spoil(event, "cut off in the middle",
                      whole.substr(0, whole.size() / 2));  // base64 of half a document
            }
            break;
        case Leg::inventory:
            if (first) {
                spoil(event, "data is a text", fmt::format(R"("reserved for {}")", o.id));
            } else {
                spoil(event, "order id is null", R"({"orderId":null,"items":[]})");
            }
            break;
    }
    lacks(planned_.leg);
}

}  // namespace

std::string_view to_string(Fault fault) {
    switch (fault) {
        case Fault::none:
            return "none";
        case Fault::duplicate_delivery:
            return "duplicate delivery";
        case Fault::out_of_order:
            return "out of order";
        case Fault::late:
            return "late";
        case Fault::missing_order:
            return "missing order";
        case Fault::missing_payment:
            return "missing payment";
        case Fault::missing_inventory:
            return "missing inventory";
        case Fault::declined:
            return "declined";
        case Fault::wrong_amount:
            return "wrong amount";
        case Fault::other_currency:
            return "other currency";
        case Fault::wrong_quantity:
            return "wrong quantity";
        case Fault::double_charge:
            return "double charge";
        case Fault::malformed:
            return "malformed";
    }
    return "?";
}

bool stays_matched(Fault fault) {
    return fault == Fault::none || fault == Fault::duplicate_delivery ||
           fault == Fault::out_of_order || fault == Fault::late;
}

std::size_t FaultPlan::events() const {
    std::size_t n = 0;
    for (const PlannedOrder& order : orders) {
        n += order.events.size();
    }
    return n;
}

std::size_t FaultPlan::quarantined() const {
    std::size_t n = 0;
    for (const PlannedOrder& order : orders) {
        n += static_cast<std::size_t>(
            std::ranges::count(order.events, false, &PlannedEvent::reaches_case));
    }
    return n;
}

Duration FaultPlan::last_send() const {
    Duration last{};
    for (const PlannedOrder& order : orders) {
        for (const PlannedEvent& event : order.events) {
            last = std::max(last, event.send_after);
        }
    }
    return last;
}

FaultPlan make_plan(const PlanOptions& options) {
    HELIOS_ASSERT(options.orders >= 20, "fewer than 20 orders cannot show every fault");
    FaultPlan plan{options.seed, {}};
    std::vector<Fault> dealt = deal(options);
    // The slowest order ends about 4 s after its start; a late one needs late_by more.
    Duration tail = std::min<Duration>(std::chrono::seconds(4), options.send_for / 4);
    Duration room = std::max<Duration>(milliseconds(1), options.send_for - tail);
    Duration room_late =
        std::max<Duration>(milliseconds(1), options.send_for - tail - options.late_by);
    for (std::size_t i = 0; i < dealt.size(); ++i) {
        Duration span = dealt[i] == Fault::late ? room_late : room;
        Duration at = span * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(dealt.size());
        plan.orders.push_back(Maker(options, i + 1, dealt[i], at).make());
    }
    return plan;
}

}  // namespace helios::lab
