#include "lab/shop.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/assert.h"
#include "base/currency.h"
#include "base/hash.h"
#include "base/json.h"
#include "lab/random.h"

namespace helios::lab {
namespace {

struct Product {
    std::string_view sku;
    std::string_view title;
    std::int64_t price_cents;
};

constexpr std::array products{
    Product{"LAPTOP-X1", "Laptop X1, 14 inch", 129900},
    Product{"PHONE-P8", "Phone P8, 128 GB", 69900},
    Product{"HEADSET-Q2", "Headset Q2, noise cancelling", 24950},
    Product{"KETTLE-1L", "Kettle, 1 litre", 3999},
    Product{"LAMP-DESK", "Desk lamp, warm white", 5450},
    Product{"CHAIR-ERGO", "Ergonomic chair", 38900},
    Product{"MUG-BLUE", "Mug, blue enamel", 1295},
    Product{"BOOK-RIVERS", "A History of Rivers", 2490},
    Product{"TENT-2P", "Tent for two", 18999},
    Product{"BIKE-LIGHT", "Bicycle light set", 3275},
    Product{"CABLE-USBC", "USB-C cable, 2 m", 1149},
    Product{"PAN-CAST", "Cast-iron pan, 26 cm", 4780},
};

constexpr std::array customers{
    "Ada Novak",  "Ben Okafor",   "Chiara Russo", "Dmitri Aalto", "Elif Demir",   "Farid Haddad",
    "Grace Liu",  "Hugo Martins", "Ines Duarte",  "Jonas Weber",  "Keiko Tanaka", "Lars Nyström",
    "Maya Cohen", "Noah Fischer", "Olga Petrov",  "Priya Nair",
};

constexpr std::array currencies{"USD", "USD", "USD", "EUR", "EUR", "GBP", "JPY"};
constexpr std::array warehouses{"WH-US-EAST", "WH-EU-NORTH", "WH-EU-SOUTH", "WH-APAC"};

Decimal price_in(std::int64_t cents, std::string_view currency) {
    // A yen price is a whole number; 140 of them to the dollar is near enough for a shop that does
    // not exist.
    std::string text = currency_minor_units(currency) == 0
                           ? fmt::format("{}", cents * 14 / 10)
                           : fmt::format("{}.{:02}", cents / 100, cents % 100);
    auto price = Decimal::parse(text);
    HELIOS_ASSERT(price.has_value(), "the shop's prices are decimals");
    return *price;
}

Decimal total_of(const std::vector<Item>& items) {
    Decimal sum;
    for (const Item& item : items) {
        auto line = Decimal::multiply(item.price, Decimal::from_int(item.quantity));
        HELIOS_ASSERT(line.has_value(), "a line of the shop fits a decimal");
        auto next = Decimal::add(sum, *line);
        HELIOS_ASSERT(next.has_value(), "an order of the shop fits a decimal");
        sum = *next;
    }
    return sum;
}

std::vector<Item> make_items(Random& random, std::string_view currency) {
    std::vector<Item> items;
    std::size_t wanted = 1 + random.below(3);
    while (items.size() < wanted) {
        const Product& product = products[random.below(products.size())];
        if (std::ranges::any_of(items, [&](const Item& item) { return item.sku == product.sku; })) {
            continue;
        }
        std::int64_t quantity = random.chance(700) ? 1 : random.between(2, 4);
        items.push_back({std::string(product.sku), std::string(product.title),
                         price_in(product.price_cents, currency), quantity});
    }
    return items;
}

std::string_view order_id_name(const Order& order) {
    return order.spelling == Spelling::snake ? "order_id" : "orderId";
}

}  // namespace

std::string_view to_string(Leg leg) {
    switch (leg) {
        case Leg::order:
            return "order";
        case Leg::payment:
            return "payment";
        case Leg::inventory:
            return "inventory";
    }
    return "?";
}

std::string_view event_type_of(Leg leg) {
    switch (leg) {
        case Leg::order:
            return "OrderPlaced";
        case Leg::payment:
            return "PaymentProcessed";
        case Leg::inventory:
            return "InventoryReserved";
    }
    return "?";
}

Order make_order(std::uint64_t seed, std::uint64_t number, Instant placed_at) {
    using std::chrono::milliseconds;
    Random random = Random::of(seed, number);
    Order order;
    order.id = fmt::format("ORD-{}", 10000 + number);
    std::size_t customer = random.below(customers.size());
    order.customer_id = fmt::format("CUST-{}", 700 + customer);
    order.customer_name = customers[customer];
    order.currency = currencies[random.below(currencies.size())];
    order.items = make_items(random, order.currency);
    order.total = total_of(order.items);
    order.spelling = static_cast<Spelling>(random.below(3));
    order.payment_id = fmt::format("PAY-{}", 50000 + number);
    order.reservation_id = fmt::format("RSV-{}", 80000 + number);
    order.warehouse = warehouses[random.below(warehouses.size())];
    order.placed_at = std::chrono::floor<milliseconds>(placed_at);
    order.paid_at = order.placed_at + milliseconds(random.between(60, 500));
    order.reserved_at = order.paid_at + milliseconds(random.between(60, 700));
    return order;
}

Charge charge_of(const Order& order) {
    return {order.payment_id, order.total.to_string(currency_minor_units(order.currency)),
            order.currency, "AUTHORIZED", order.paid_at};
}

std::string order_payload(const Order& order) {
    bool snake = order.spelling == Spelling::snake;
    int minor = currency_minor_units(order.currency);
    json::Writer w;
    w.begin_object().field(order_id_name(order), order.id);
    w.field(snake ? "customer_id" : "customerId", order.customer_id)
        .field(snake ? "customer_name" : "customerName", order.customer_name);
    if (order.spelling == Spelling::camel) {
        w.field("totalAmount", order.total.to_string(minor));
    } else if (snake) {
        w.key("total").raw(order.total.to_string(minor));
    }
    w.field("currency", order.currency).key("items").begin_array();
    for (const Item& item : order.items) {
        w.begin_object().field(snake ? "sku" : "productId", item.sku).field("title", item.title);
        w.key("price")
            .raw(item.price.to_string(minor))
            .field(snake ? "quantity" : "qty", item.quantity)
            .end_object();
    }
    w.end_array().field("timestamp", format_rfc3339(order.placed_at)).end_object();
    return w.take();
}

std::string payment_payload(const Order& order, const Charge& charge) {
    bool snake = order.spelling == Spelling::snake;
    json::Writer w;
    w.begin_object()
        .field(order_id_name(order), order.id)
        .field(snake ? "payment_id" : "paymentId", charge.payment_id);
    if (order.spelling == Spelling::camel) {
        w.field("amount", charge.amount);
    } else {
        w.key("amount").raw(charge.amount);
    }
    w.field("currency", charge.currency).field("status", charge.status).field("method", "card");
    w.field("timestamp", format_rfc3339(charge.at)).end_object();
    return w.take();
}

std::string inventory_payload(const Order& order, const std::vector<Item>& reserved) {
    bool snake = order.spelling == Spelling::snake;
    json::Writer w;
    w.begin_object()
        .field(order_id_name(order), order.id)
        .field(snake ? "reservation_id" : "reservationId", order.reservation_id);
    w.field(snake ? "warehouse_id" : "warehouseId", order.warehouse).key("items").begin_array();
    for (const Item& item : reserved) {
        w.begin_object()
            .field("sku", item.sku)
            .field(snake ? "quantity" : "qty", item.quantity)
            .end_object();
    }
    w.end_array().field("timestamp", format_rfc3339(order.reserved_at)).end_object();
    return w.take();
}

std::string make_uuid(std::uint64_t seed, std::string_view what) {
    std::string hex = to_hex(sha256_128(fmt::format("{}/{}", seed, what)));
    hex[12] = '4';
    hex[16] = "89ab"[static_cast<unsigned char>(hex[16]) % 4];
    return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                       hex.substr(16, 4), hex.substr(20, 12));
}

}  // namespace helios::lab
