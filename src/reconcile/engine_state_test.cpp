#include "reconcile/engine_state.h"

#include <gtest/gtest.h>

#include "reconcile/state_kit.h"
#include "reconcile/test_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;

struct Kept {
    MapState state;
    StoredClosedCases closed{state};
    Engine engine{closed};

    Kept() { engine.on_record(flow_record(*order_flow(), noon(-3600))); }
    void feed(std::string source, std::string type, std::string id, std::string payload, double s) {
        for (const auto& record :
             legs_of(*order_flow(), event(source, type, id, payload, noon(s)), noon(s))) {
            engine.on_record(record);
        }
    }
    void order(double s) { feed("aws", "OrderPlaced", "o", good_order, s); }
    void payment(double s) { feed("gcp", "PaymentProcessed", "p", good_payment, s); }
    void stock(double s) { feed("azure", "InventoryReserved", "i", good_stock, s); }
    /// An open case, a closed one, and an absence.
    MapState::Entries one_of_each() {
        feed("aws", "OrderPlaced", "o", good_order, 0);
        payment(1);
        stock(2);
        feed("aws", "OrderPlaced", "o2", R"({"orderId":"B1","totalAmount":"12.50"})", 3);
        engine.on_record(away(4, 5));
        engine.put_changes(state);
        return state.entries;
    }
};

/// What a new engine says to these entries: restoring, then looking at the closed case.
Status taken_back(MapState::Entries entries) {
    MapState state(std::move(entries));
    StoredClosedCases closed(state);
    Engine engine(closed);
    HELIOS_TRY(engine.restore(state));
    static_cast<void>(engine.inspect(default_tenant(), "order", "A1"));
    return closed.health();
}

std::string id_of(std::string_view key) {
    return model::case_log_key(default_tenant(), "order", key);
}

TEST(EngineState, one_of_each_kind_is_kept) {
    Kept kept;
    std::string kinds;
    for (const auto& [key, value] : kept.one_of_each()) {
        kinds += key.front();
    }
    EXPECT_EQ(kinds, "acefo");
    EXPECT_TRUE(taken_back(kept.state.entries));
}

TEST(EngineState, every_cut_and_every_flipped_bit_is_corrupt) {
    const auto good = Kept().one_of_each();
    for (const auto& [key, value] : good) {
        SCOPED_TRACE(key.substr(0, 1));
        const auto expect_corrupt = [&](std::string damaged) {
            auto entries = good;
            entries[key] = std::move(damaged);
            const auto status = taken_back(std::move(entries));
            ASSERT_FALSE(status);
            EXPECT_EQ(status.error().kind, ErrorKind::corrupt);
        };
        // A flow's text is long, and parsing it is slow.
        const std::size_t step = key.front() == entry::flow ? 37 : 1;
        for (std::size_t n = 0; n < value.size(); n += step) {
            expect_corrupt(value.substr(0, n));
            std::string flipped = value;
            flipped[n] = static_cast<char>(flipped[n] ^ (1 << (n % 8)));
            expect_corrupt(std::move(flipped));
        }
        expect_corrupt(value + '\0');
    }
}

TEST(EngineState, cut_values_with_a_good_checksum_crash_nothing) {
    const auto good = Kept().one_of_each();
    for (const auto& [key, value] : good) {
        if (key.front() == entry::flow) {
            continue;
        }
        for (std::size_t n = 0; n + 4 < value.size(); ++n) {
            auto entries = good;
            entries[key] = seal(key, value.substr(0, n));
            const auto status = taken_back(std::move(entries));
            // A closed case cut behind its number is a shrunk one.
            EXPECT_EQ(status.has_value(), key.front() == entry::closed && n == 1)
                << key.front() << n;
        }
    }
}

TEST(EngineState, a_value_under_another_key_is_corrupt) {
    const auto good = Kept().one_of_each();
    auto entries = good;
    entries[open_key(id_of("B2"))] = entries[open_key(id_of("B1"))];
    entries.erase(open_key(id_of("B1")));
    EXPECT_FALSE(taken_back(std::move(entries)));
}

TEST(EngineState, an_entry_that_is_missing_is_corrupt) {
    const auto good = Kept().one_of_each();
    for (const char kind : {entry::summary, entry::flow, entry::open}) {
        auto entries = good;
        std::erase_if(entries, [&](const auto& one) { return one.first.front() == kind; });
        const auto status = taken_back(std::move(entries));
        ASSERT_FALSE(status) << kind;
        EXPECT_EQ(status.error().kind, ErrorKind::corrupt);
    }
}

TEST(EngineState, nothing_kept_is_a_new_engine) {
    EXPECT_TRUE(taken_back({}));
}

TEST(EngineState, opened_and_closed_in_between_costs_no_open_entry) {
    Kept kept;
    kept.engine.put_changes(kept.state);
    kept.state.freeze({});
    kept.order(0);
    kept.payment(1);
    kept.stock(2);
    EXPECT_EQ(kept.engine.open_cases(), 0u);
    kept.engine.put_changes(kept.state);
    EXPECT_EQ(kept.state.changes(), 2u);  // the closed case and the summary
}

TEST(EngineState, only_what_has_changed_is_put) {
    Kept kept;
    for (int i = 0; i < 100; ++i) {
        kept.feed("aws", "OrderPlaced", "o", R"({"orderId":"C)" + std::to_string(i) + "\"}", 0);
    }
    kept.engine.put_changes(kept.state);
    kept.state.freeze({});
    kept.engine.put_changes(kept.state);
    EXPECT_EQ(kept.state.changes(), 0u);
    kept.feed("gcp", "PaymentProcessed", "p", R"({"orderId":"C7","amount":1})", 1);
    kept.engine.put_changes(kept.state);
    EXPECT_EQ(kept.state.changes(), 2u);
}

TEST(EngineState, a_case_that_ended_and_is_open_again_is_kept_as_open) {
    Kept kept;
    kept.order(0);
    kept.payment(1);
    kept.engine.put_changes(kept.state);
    kept.stock(2);
    kept.feed("gcp", "PaymentProcessed", "p2",
              R"({"orderId":"A1","paymentId":"P2","amount":12.5,"currency":"USD"})", 3);
    ASSERT_EQ(kept.engine.open_cases(), 1u);
    kept.engine.put_changes(kept.state);
    EXPECT_TRUE(kept.state.entries.contains(open_key(id_of("A1"))));
    EXPECT_TRUE(taken_back(kept.state.entries));
}

TEST(EngineState, a_state_of_one_case_per_key_is_not_taken_for_another) {
    MapState state;
    StoredClosedCases closed(state);
    Engine engine(closed, Keys::used_once);
    engine.on_record(flow_record(*order_flow(), noon(0)));
    engine.put_changes(state);
    const auto status = taken_back(state.entries);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::conflict);
}

TEST(EngineState, a_damaged_closed_case_is_none_and_is_said) {
    Kept kept;
    kept.one_of_each();
    kept.state.entries[closed_key(id_of("A1"))].back() ^= 1;
    kept.payment(4);
    ASSERT_FALSE(kept.closed.health());
    EXPECT_EQ(kept.closed.health().error().kind, ErrorKind::corrupt);
}

TEST(EngineState, a_closed_case_whose_flow_is_not_known_is_said) {
    Kept kept;
    const auto entries = kept.one_of_each();
    MapState state(entries);
    state.entries.erase(open_key(id_of("B1")));
    StoredClosedCases closed(state);
    Engine engine(closed);
    EXPECT_FALSE(engine.inspect(default_tenant(), "order", "A1"));
    EXPECT_FALSE(closed.health());
}

TEST(EngineState, of_a_closed_case_its_number_stays) {
    Kept kept;
    kept.one_of_each();
    const std::string key = closed_key(id_of("A1"));
    const std::string whole = kept.state.entries.at(key);
    const auto closed = decode_closed(key, whole);
    ASSERT_TRUE(closed);
    EXPECT_FALSE(shrink_closed(key, whole, closed->amend_until));
    const auto small = shrink_closed(key, whole, closed->amend_until + Duration(1));
    ASSERT_TRUE(small);
    EXPECT_EQ(small->size(), 5u);
    EXPECT_EQ(decode_closed(key, *small)->instance, 1u);
    EXPECT_EQ(decode_closed(key, *small)->bytes, "");
    EXPECT_FALSE(shrink_closed(key, *small, Instant::max()));
    const std::string open = open_key(id_of("B1"));
    EXPECT_FALSE(shrink_closed(open, kept.state.entries.at(open), Instant::max()));
    std::string damaged = whole;
    damaged[damaged.size() / 2] ^= 1;
    EXPECT_FALSE(shrink_closed(key, damaged, Instant::max()));
}

TEST(EngineState, a_key_that_is_used_again_after_amend_for_has_a_new_instance_shrunk_or_not) {
    for (const bool shrink : {false, true}) {
        Kept kept;
        kept.one_of_each();
        const double later = 40.0 * 24 * 3600;
        kept.engine.on_record(model::TickRecord{noon(later)});
        std::string& value = kept.state.entries.at(closed_key(id_of("A1")));
        if (shrink) {
            const auto small =
                shrink_closed(closed_key(id_of("A1")), value, kept.engine.expired_before());
            ASSERT_TRUE(small);
            value = *small;
        }
        EXPECT_FALSE(kept.engine.would_join(id_of("A1")));
        EXPECT_FALSE(kept.engine.inspect(default_tenant(), "order", "A1"));
        kept.order(later + 1);
        EXPECT_EQ(kept.engine.inspect(default_tenant(), "order", "A1")->state.instance, 2u);
        EXPECT_TRUE(kept.closed.health());
    }
}

}  // namespace
}  // namespace helios::reconcile
