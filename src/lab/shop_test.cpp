#include "lab/shop.h"

#include <gtest/gtest.h>
#include <set>

#include "base/currency.h"
#include "base/hash.h"
#include "base/json.h"
#include "lab/envelope.h"

namespace helios::lab {
namespace {

const Instant start = parse_rfc3339("2026-01-05T10:23:45.120Z")->at;

json::Document parse(const std::string& text) {
    auto document = json::Document::parse(text);
    EXPECT_TRUE(document.has_value()) << text;
    return *std::move(document);
}

Fact fact_of(Leg leg, const Order& order) {
    std::string payload = leg == Leg::order     ? order_payload(order)
                          : leg == Leg::payment ? payment_payload(order, charge_of(order))
                                                : inventory_payload(order, order.items);
    return {leg, "e-1", order.id, payload, start};
}

TEST(Shop, same_seed_same_bytes) {
    for (std::uint64_t n = 1; n < 50; ++n) {
        Order a = make_order(7, n, start);
        Order b = make_order(7, n, start);
        EXPECT_EQ(order_payload(a), order_payload(b));
        EXPECT_EQ(payment_payload(a, charge_of(a)), payment_payload(b, charge_of(b)));
        EXPECT_EQ(inventory_payload(a, a.items), inventory_payload(b, b.items));
    }
    EXPECT_NE(order_payload(make_order(7, 1, start)), order_payload(make_order(8, 1, start)));
}

TEST(Shop, bytes_are_fixed_for_ever) {
    // A change of the random sequence or of a payload changes every published figure: it must be
    // meant.
    std::string all;
    for (std::uint64_t n = 1; n <= 100; ++n) {
        Order order = make_order(7, n, start);
        all += order_payload(order) + payment_payload(order, charge_of(order)) +
               inventory_payload(order, order.items);
    }
    EXPECT_EQ(to_hex(sha256(all)),
              "076efc4ed69ab251205d509b62adfcd28993a6bff1c7df200ed247b9e9a3604b");
}

TEST(Shop, total_is_the_exact_sum_of_its_items) {
    for (std::uint64_t n = 1; n < 300; ++n) {
        Order order = make_order(3, n, start);
        Decimal sum;
        std::set<std::string> skus;
        for (const Item& item : order.items) {
            EXPECT_TRUE(skus.insert(item.sku).second) << "an order names an article once";
            sum = *Decimal::add(sum,
                                *Decimal::multiply(item.price, Decimal::from_int(item.quantity)));
        }
        EXPECT_EQ(sum, order.total) << order.id;
        EXPECT_LE(order.total.scale(), currency_minor_units(order.currency)) << order.id;
        EXPECT_LT(order.reserved_at - order.placed_at, std::chrono::milliseconds(1300));
    }
}

TEST(Shop, all_three_spellings_occur_and_are_spelled_so) {
    std::set<Spelling> seen;
    for (std::uint64_t n = 1; n < 40; ++n) {
        Order order = make_order(7, n, start);
        seen.insert(order.spelling);
        auto document = parse(order_payload(order));
        json::Value root = document.root();
        EXPECT_EQ(root.find(order.spelling == Spelling::snake ? "order_id" : "orderId").text(),
                  order.id);
        EXPECT_EQ(root.find("totalAmount").present(), order.spelling == Spelling::camel);
        EXPECT_EQ(root.find("total").present(), order.spelling == Spelling::snake);
    }
    EXPECT_EQ(seen.size(), 3u);
}

TEST(Envelope, event_bridge) {
    Order order = make_order(7, 1, start);
    auto document = parse(eventbridge_envelope(fact_of(Leg::order, order)));
    json::Value root = document.root();
    EXPECT_EQ(root.find("version").text(), "0");
    EXPECT_EQ(root.find("id").text(), "e-1");
    EXPECT_EQ(root.find("detail-type").text(), "OrderPlaced");
    EXPECT_EQ(root.find("account").text(), "012345678901");
    EXPECT_TRUE(root.find("account").is_string());
    EXPECT_EQ(root.find("time").text(), "2026-01-05T10:23:45Z");
    EXPECT_EQ(root.find("region").text(), "eu-west-1");
    EXPECT_EQ(root.find("resources").size(), 1u);
    EXPECT_EQ(root.find("detail").raw(), order_payload(order));
}

TEST(Envelope, sns_carries_the_same_envelope_as_text) {
    Order order = make_order(7, 2, start);
    Fact fact = fact_of(Leg::order, order);
    Delivery delivery = deliver(fact, Wrapping::sns);
    auto document = parse(delivery.body);
    EXPECT_EQ(document.root().find("Type").text(), "Notification");
    EXPECT_EQ(document.root().find("Message").text(), eventbridge_envelope(fact));
    EXPECT_EQ(delivery.headers.at(0),
              (std::pair<std::string, std::string>{"Content-Type", "text/plain; charset=UTF-8"}));
}

TEST(Envelope, pubsub_spells_its_id_both_ways_or_one) {
    Order order = make_order(7, 3, start);
    Fact fact = fact_of(Leg::payment, order);
    for (Wrapping wrapping : {Wrapping::usual, Wrapping::camel_id_only, Wrapping::snake_id_only}) {
        auto document = parse(pubsub_push(fact, wrapping));
        json::Value message = document.root().find("message");
        EXPECT_EQ(message.find("messageId").present(), wrapping != Wrapping::snake_id_only);
        EXPECT_EQ(message.find("message_id").present(), wrapping != Wrapping::camel_id_only);
        EXPECT_EQ(message.find("attributes").find("eventType").text(), "PaymentProcessed");
        std::string data;
        ASSERT_TRUE(base64_decode(message.find("data").text(), data));
        EXPECT_EQ(data, fact.payload);
        EXPECT_TRUE(document.root().find("subscription").text().starts_with("projects/"));
    }
}

TEST(Envelope, event_grid_is_always_an_array) {
    Order order = make_order(7, 4, start);
    Fact fact = fact_of(Leg::inventory, order);
    for (const Delivery& delivery :
         {deliver(fact, Wrapping::usual), deliver_batch({&fact, &fact, &fact})}) {
        auto document = parse(delivery.body);
        ASSERT_TRUE(document.root().is_array());
        for (std::size_t i = 0; i < document.root().size(); ++i) {
            json::Value event = document.root().at(i);
            EXPECT_EQ(event.find("eventType").text(), "Contoso.Shop.InventoryReserved");
            EXPECT_EQ(event.find("dataVersion").text(), "1.0");
            EXPECT_EQ(event.find("subject").text(), "inventory/orders/" + order.id);
            EXPECT_EQ(event.find("data").raw(), fact.payload);
        }
    }
}

TEST(Envelope, uuids_are_version4_and_differ) {
    std::set<std::string> seen;
    for (int i = 0; i < 200; ++i) {
        std::string id = make_uuid(7, std::to_string(i));
        ASSERT_EQ(id.size(), 36u);
        EXPECT_EQ(id[14], '4');
        EXPECT_NE(std::string_view("89ab").find(id[19]), std::string_view::npos);
        EXPECT_TRUE(seen.insert(id).second);
    }
}

}  // namespace
}  // namespace helios::lab
