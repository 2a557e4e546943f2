// Any text: a flow or complaints that each name a place. A flow that reads must also work: route
// and judge a small event.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "reconcile/test_kit.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace helios;
    using namespace helios::reconcile;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto reading = read_flow(text, "fuzz.yaml");
    for (const Error& error : reading.errors) {
        HELIOS_ASSERT(error.what.starts_with("fuzz.yaml:"), "a complaint names its place");
    }
    HELIOS_ASSERT(reading.flow.has_value() == reading.errors.empty(), "a flow or complaints");
    if (!reading.flow) {
        return 0;
    }
    test::Bench bench(std::make_shared<const Flow>(*reading.flow));
    int n = 0;
    for (const Leg& leg : reading.flow->legs) {
        const std::string source = leg.sources.empty() ? "aws" : leg.sources.front();
        for (const char* payload : {test::good_order, test::good_payment}) {
            ++n;
            bench.feed(
                test::event(source, leg.type, "e" + std::to_string(n), payload, test::noon(n)),
                test::noon(n));
        }
    }
    bench.tick(1e8);
    return 0;
}
