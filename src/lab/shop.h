#pragma once
/// A small shop with one foot in each of three clouds: AWS takes its orders, GCP charges its
/// customers, Azure reserves its stock.
///
/// Everything follows from (seed, order number, time): the same arguments give the same bytes on
/// every machine. The shop tells what happened (payloads); how a cloud wraps it is envelope.h, what
/// goes wrong with it is fault_plan.h.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/decimal.h"
#include "base/time.h"

namespace helios::lab {

enum class Leg : std::uint8_t { order, payment, inventory };
std::string_view to_string(Leg leg);
/// "OrderPlaced", "PaymentProcessed", "InventoryReserved".
std::string_view event_type_of(Leg leg);

/// How a service spells its payload. Three teams wrote this shop.
enum class Spelling : std::uint8_t {
    camel,       ///< orderId, customerId, totalAmount as text, productId, qty
    snake,       ///< order_id, customer_id, total as a number, sku, quantity
    items_only,  ///< orderId, no total: the sum of price × qty is the total
};

struct Item {
    std::string sku;
    std::string title;
    Decimal price;
    std::int64_t quantity = 1;
};

struct Order {
    std::string id;  ///< "ORD-10042"
    std::string customer_id;
    std::string customer_name;
    std::string currency;
    std::vector<Item> items;  ///< distinct skus
    Decimal total;            ///< exact sum of price × quantity, in the currency's minor units
    Spelling spelling = Spelling::camel;
    std::string payment_id;
    std::string reservation_id;
    std::string warehouse;
    Instant placed_at;
    Instant paid_at;
    Instant reserved_at;
};

/// Order `number` of the shop with this seed. Payment and reservation follow within 1.2 s of
/// `placed_at`.
Order make_order(std::uint64_t seed, std::uint64_t number, Instant placed_at);

/// What the payment service says. Usually the order's own facts.
struct Charge {
    std::string payment_id;
    std::string amount;  ///< JSON number grammar
    std::string currency;
    std::string status;  ///< "AUTHORIZED"
    Instant at;
};
Charge charge_of(const Order& order);

/// JSON objects, as the three services write them.
std::string order_payload(const Order& order);
std::string payment_payload(const Order& order, const Charge& charge);
std::string inventory_payload(const Order& order, const std::vector<Item>& reserved);

/// A name for `what`, derived from the seed and spelled as a version 4 UUID: what EventBridge and
/// Event Grid use as event ids.
std::string make_uuid(std::uint64_t seed, std::string_view what);

}  // namespace helios::lab
