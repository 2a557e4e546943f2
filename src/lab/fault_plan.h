#pragma once
/// What goes wrong with each order, decided before anything is sent, and the verdict that a true
/// judge must therefore give.
///
/// At most one fault per order. Truth is written here, next to the fault it follows from, and
/// nowhere is it computed by code that Helios decides with: that is what makes the scoreboard worth
/// reading. Pure and deterministic in (options).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "lab/envelope.h"
#include "lab/shop.h"

namespace helios::lab {

enum class Fault : std::uint8_t {
    none,
    duplicate_delivery,  ///< an event delivered twice or more: still one event
    out_of_order,        ///< the order comes after what follows from it
    late,                ///< the last leg comes after its deadline: partial at first, then amended
    missing_order,
    missing_payment,
    missing_inventory,
    declined,  ///< the payment came, and does not count
    wrong_amount,
    other_currency,
    wrong_quantity,
    double_charge,  ///< two payments with ids of their own
    malformed,      ///< one leg cannot be accepted: quarantined, and so absent
};
inline constexpr std::size_t fault_count = 13;
std::string_view to_string(Fault fault);  ///< "double charge"
/// True if an order with this fault must end as matched all the same.
bool stays_matched(Fault fault);

struct ExpectedFinding {
    std::string kind;      ///< "amount"
    std::string expected;  ///< compared where not empty: decimals by value, other text as it is
    std::string actual;
};

struct ExpectedMoney {
    std::string currency;
    std::string amount;
};

/// The settled verdict an order must get, `late` and `missing` findings aside (missing legs have a
/// list of their own, lateness a clock).
struct Truth {
    std::string status;                ///< "matched", "partial", "mismatched"
    std::vector<std::string> missing;  ///< legs, in flow order
    std::vector<ExpectedFinding> findings;
    std::optional<ExpectedMoney> at_risk;
};

struct PlannedEvent {
    Fact fact;
    Wrapping wrapping = Wrapping::usual;
    Duration send_after{};     ///< since the start of sending
    bool reaches_case = true;  ///< false: malformed; it neither opens nor completes a case
    bool repeat = false;       ///< a further delivery of an event sent before
};

struct PlannedOrder {
    Order order;
    Fault fault = Fault::none;
    Leg leg = Leg::order;       ///< where the fault is, for those that choose one
    std::string malformed_how;  ///< for people; empty unless malformed
    Truth truth;
    std::vector<PlannedEvent> events;  ///< in order of send_after
};

struct FaultPlan {
    std::uint64_t seed = 0;
    std::vector<PlannedOrder> orders;
    std::size_t events() const;
    std::size_t quarantined() const;  ///< events that must end in the DLQ
    Duration last_send() const;
};

struct PlanOptions {
    std::uint64_t seed = 7;
    std::uint32_t orders = 300;  ///< ≥ 20, so that every fault occurs
    Instant start;               ///< event times count from here
    Duration send_for = std::chrono::seconds(22);
    Duration late_by =
        std::chrono::milliseconds(7500);  ///< a late leg is sent so long after the first
    std::uint32_t faulty_per_thousand = 400;
};

/// Every kind of fault occurs about equally often, none by chance alone: counts are dealt, then
/// shuffled by the seed.
FaultPlan make_plan(const PlanOptions& options);

}  // namespace helios::lab
