// Any bytes as values of the engine's state, their checksum made good: an error, or an engine that
// works. First byte: which entry of a good state they replace; the rest: its value.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "reconcile/engine_state.h"
#include "reconcile/state_kit.h"
#include "reconcile/test_kit.h"

namespace {

using namespace helios;
using namespace helios::reconcile;

/// One entry of each kind.
const test::MapState::Entries& good_entries() {
    static const auto entries = [] {
        test::MapState state;
        StoredClosedCases closed(state);
        Engine engine(closed);
        const auto feed = [&](const char* source, const char* type, const char* payload, double s) {
            for (const auto& record : test::legs_of(
                     *test::order_flow(), test::event(source, type, "e", payload, test::noon(s)),
                     test::noon(s))) {
                engine.on_record(record);
            }
        };
        engine.on_record(test::flow_record(*test::order_flow(), test::noon(0)));
        feed("aws", "OrderPlaced", test::good_order, 1);
        feed("gcp", "PaymentProcessed", test::good_payment, 2);
        feed("azure", "InventoryReserved", test::good_stock, 3);
        feed("aws", "OrderPlaced", R"({"orderId":"B1","totalAmount":"12.50"})", 4);
        engine.on_record(test::away(5, 6));
        engine.put_changes(state);
        return state.entries;
    }();
    return entries;
}

void work(Engine& engine, log::State& state) {
    if (!engine.restore(state)) {
        return;
    }
    for (const char* key : {"A1", "B1"}) {
        static_cast<void>(engine.inspect(default_tenant(), "order", key));
        for (const auto& record :
             test::legs_of(*test::order_flow(),
                           test::event("gcp", "PaymentProcessed", "late",
                                       R"({"orderId":")" + std::string(key) + R"(","amount":1})"),
                           test::noon(7))) {
            engine.on_record(record);
        }
    }
    engine.on_record(model::TickRecord{test::noon(1e6)});
    engine.put_changes(state);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    auto entries = good_entries();
    auto it = entries.begin();
    std::advance(it, data[0] % entries.size());
    const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::string& key = it->first;
    if (const auto small = shrink_closed(key, body, Instant::max())) {
        HELIOS_ASSERT(decode_closed(key, *small).has_value(), "what has shrunk can be read");
    }
    it->second = seal(key, std::string(body));
    test::MapState state(std::move(entries));
    StoredClosedCases closed(state);
    Engine engine(closed);
    work(engine, state);
    return 0;
}
