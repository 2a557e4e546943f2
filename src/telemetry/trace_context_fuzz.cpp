/// Any header: ignored, or a context whose own header reads back.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "telemetry/trace_context.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace helios::telemetry;
    const auto context =
        parse_traceparent(std::string_view(reinterpret_cast<const char*>(data), size));
    if (!context) {
        return 0;
    }
    const auto again = parse_traceparent(context->to_traceparent());
    HELIOS_ASSERT(
        again && again->trace_id == context->trace_id && again->parent_id == context->parent_id,
        "does not read back");
    return 0;
}
