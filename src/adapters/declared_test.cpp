#include "adapters/declared.h"

#include <gtest/gtest.h>

#include "adapters/fuzz_kit.h"

namespace helios::adapters {
namespace {

Place at(std::string_view text) {
    return *Place::parse(text);
}

/// A sender with an array of items, each with its own members.
DeclaredRules shop() {
    DeclaredRules rules;
    rules.source = "shop";
    rules.items = "events[].event";
    rules.id = {at("meta.id")};
    rules.type = at("kind");
    rules.time = at("meta.at");
    rules.time_unit = EpochUnit::seconds;
    rules.payload = "data";
    rules.types = {{"order.created", "OrderPlaced"}};
    return rules;
}

struct Read {
    std::string body;
    std::vector<Header> headers;
    Adapted adapted;
    Read(const DeclaredRules& rules, std::string text, std::vector<Header> with = {})
        : body(std::move(text)), headers(std::move(with)) {
        EXPECT_TRUE(rules.validate());
        RawRequest raw(default_tenant());
        raw.body = body;
        raw.headers = headers;
        adapted = adapt_declared(raw, rules);
        if (const auto* all = std::get_if<std::vector<Item>>(&adapted.outcome)) {
            for (const auto& item : *all) {
                check_item(item);
            }
        }
    }
    Read(const Read&) = delete;

    const std::vector<Item>& items() const { return std::get<std::vector<Item>>(adapted.outcome); }
    const model::Event& event(std::size_t i = 0) const {
        return std::get<AdaptedEvent>(items().at(i)).event;
    }
    /// "accepted", or a rejection's reason.
    std::string verdict(std::size_t i = 0) const {
        const auto* rejected = std::get_if<Rejection>(&items().at(i));
        return rejected == nullptr ? "accepted" : rejected->reason;
    }
};

TEST(Declared, everything_is_where_its_path_leads) {
    const Read read(
        shop(),
        R"({"events":[{"event":{"meta":{"id":7,"at":1767608625},"kind":"order.created","data":{"orderId":"O-1"}}},)"
        R"({"event":{"meta":{"id":"b","at":"soon"},"kind":"other","data":{}}}]})");
    ASSERT_EQ(read.items().size(), 2u);
    const auto& event = read.event();
    EXPECT_EQ(event.source, "shop");
    EXPECT_EQ(event.id, "7");
    EXPECT_EQ(event.type, "OrderPlaced");
    EXPECT_EQ(event.payload, R"({"orderId":"O-1"})");
    EXPECT_EQ(format_rfc3339(*event.time), "2026-01-05T10:23:45.000Z");
    EXPECT_EQ(read.event(1).type, "other") << "as it is";
    EXPECT_EQ(read.event(1).time_as_sent, "\"soon\"") << "a time refuses nothing";
}

TEST(Declared, every_element_comes_out) {
    const Read read(shop(), R"({"events":[{"event":null},{"other":1},7,)"
                            R"({"event":{"kind":"k"}},{"event":{"meta":{"id":"1"},"kind":"k"}},)"
                            R"({"event":{"meta":{"id":"1"},"kind":"k","data":[]}},)"
                            R"({"event":{"meta":{"id":"1"},"kind":{},"data":{}}},)"
                            R"({"event":{"meta":{"id":"1"},"kind":"k","kind":"l","data":{}}},)"
                            R"({"event":{"meta":{"id":"1"},"kind":"k","data":{}}}]})");
    ASSERT_EQ(read.items().size(), 9u);
    EXPECT_EQ(read.verdict(0), "missing_field");
    EXPECT_EQ(read.verdict(1), "missing_field");
    EXPECT_EQ(read.verdict(2), "missing_field");
    EXPECT_EQ(read.verdict(3), "missing_field");
    EXPECT_EQ(read.verdict(4), "missing_field");
    EXPECT_EQ(read.verdict(5), "not_an_object");
    EXPECT_EQ(read.verdict(6), "bad_field");
    EXPECT_EQ(read.verdict(7), "duplicate_key");
    EXPECT_EQ(read.verdict(8), "accepted");
    for (std::size_t i = 0; i < 8; ++i) {
        EXPECT_EQ(std::get<Rejection>(read.items()[i]).source, "shop") << i;
    }
}

TEST(Declared, a_kept_item_is_read_as_it_was) {
    const std::string element =
        R"({"event":{"meta":{"id":"1"},"kind":"order.created","data":{"orderId":"O-1"}}})";
    RawRequest raw(default_tenant());
    raw.body = element;
    const auto rules = shop();
    const auto adapted = adapt_declared_item(raw, rules);
    const auto& items = std::get<std::vector<Item>>(adapted.outcome);
    ASSERT_EQ(items.size(), 1u);
    const auto& event = std::get<AdaptedEvent>(items[0]);
    EXPECT_EQ(event.event.id, "1");
    EXPECT_EQ(event.event.type, "OrderPlaced");
    EXPECT_EQ(event.raw, element);
    raw.body = R"({"other":{}})";
    const auto still = adapt_declared_item(raw, rules);
    EXPECT_EQ(std::get<Rejection>(std::get<std::vector<Item>>(still.outcome)[0]).reason,
              "missing_field");
}

TEST(Declared, where_nothing_is_the_whole_is_kept) {
    for (const auto* body : {"{}", "[]", "7", R"({"events":{}})", R"({"events":null})",
                             R"({"events":[],"events":[]})"}) {
        const Read read(shop(), body);
        ASSERT_EQ(read.items().size(), 1u) << body;
        EXPECT_EQ(std::get<Rejection>(read.items()[0]).raw, body);
    }
    EXPECT_TRUE(Read(shop(), R"({"events":[]})").items().empty()) << "nothing happened";
    const Read broken(shop(), R"({"events":[)");
    EXPECT_TRUE(std::holds_alternative<NotThisProtocol>(broken.adapted.outcome));
}

TEST(Declared, one_item_an_array_and_headers) {
    DeclaredRules whole;
    whole.source = "github";
    whole.id = {at("header:X-GitHub-Delivery")};
    whole.type = at("header:X-GitHub-Event");
    whole.time = at("header:X-Time");
    const Read read(whole, R"({"action":"opened"})",
                    {{"X-GitHub-Delivery", "d-1"},
                     {"X-GitHub-Event", "issues"},
                     {"X-Time", "2026-01-05T10:23:45Z"}});
    EXPECT_EQ(read.event().id, "d-1");
    EXPECT_EQ(read.event().type, "issues");
    EXPECT_EQ(read.event().payload, R"({"action":"opened"})");
    EXPECT_TRUE(read.event().time);
    EXPECT_EQ(Read(whole, "{}").verdict(), "missing_field");

    DeclaredRules list = whole;
    list.items = "[]";
    list.id = {at("a"), at("b")};
    list.type = at("t");
    list.time.reset();
    const Read items(list, R"([{"a":1,"b":"x","t":"T"},{"a":1,"t":"T"}])");
    EXPECT_EQ(items.event(0).id, "1/x");
    EXPECT_EQ(items.verdict(1), "missing_field");
    list.id.clear();
    EXPECT_EQ(Read(list, R"([{"t":"T"}])").event(0).identity, model::IdentityKind::content);
}

TEST(Declared, ids_of_several_parts_do_not_run_into_each_other) {
    auto rules = shop();
    rules.items.clear();
    rules.payload.clear();
    rules.id = {at("a"), at("b")};
    const auto id = [&](std::string_view a, std::string_view b) {
        return Read(rules, std::string(R"({"kind":"k","a":")") + std::string(a) + R"(","b":")" +
                               std::string(b) + "\"}")
            .event()
            .id;
    };
    EXPECT_EQ(id("1", "2"), "1/2");
    EXPECT_EQ(id("1", "x/y"), "1/x%2Fy");
    EXPECT_EQ(id("1/x", "y"), "1%2Fx/y");
    EXPECT_EQ(id("1%2Fx", "y"), "1%252Fx/y");
    rules.id = {at("a")};
    EXPECT_EQ(id("1/x", "y"), "1/x") << "one is taken as it is";
}

TEST(Declared, rules_that_are_none_are_refused) {
    const auto good = [](auto change) {
        auto rules = shop();
        change(rules);
        return rules.validate().has_value();
    };
    EXPECT_TRUE(good([](auto&) {}));
    EXPECT_FALSE(good([](auto& r) { r.type.reset(); }));
    EXPECT_FALSE(good([](auto& r) { r.items = "events"; })) << "to items, through []";
    EXPECT_FALSE(good([](auto& r) { r.items = "a[].b[]"; }));
    EXPECT_FALSE(good([](auto& r) { r.items = "a..b[]"; }));
    EXPECT_FALSE(good([](auto& r) { r.payload = "header:X"; }));
    EXPECT_FALSE(good([](auto& r) { r.payload = "data[]"; }));
    for (const auto* text : {"", "header:", "header:a b", "header:a:b", "a..b", "a[].b", "\"a"}) {
        EXPECT_FALSE(Place::parse(text)) << text;
    }
}

}  // namespace
}  // namespace helios::adapters
