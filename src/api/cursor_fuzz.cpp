#include <cstddef>
#include <cstdint>

#include "api/cursor.h"
#include "base/assert.h"

/// Cursors come back from clients: any text is either refused or says the same after another round.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const auto list : {helios::api::CaseList::mismatches, helios::api::CaseList::by_opening,
                            helios::api::CaseList::by_decision}) {
        if (const auto cursor = helios::api::decode_case_cursor(list, text)) {
            const auto again =
                helios::api::decode_case_cursor(list, helios::api::encode_cursor(list, *cursor));
            HELIOS_ASSERT(again && *again == *cursor, "a cursor survives a round trip");
        }
    }
    if (const auto cursor = helios::api::decode_event_cursor(text)) {
        const auto again = helios::api::decode_event_cursor(helios::api::encode_cursor(*cursor));
        HELIOS_ASSERT(
            again && again->pointer == cursor->pointer && again->log_time == cursor->log_time,
            "a cursor survives a round trip");
    }
    if (const auto cursor = helios::api::decode_quarantine_cursor(text)) {
        const auto again =
            helios::api::decode_quarantine_cursor(helios::api::encode_cursor(*cursor));
        HELIOS_ASSERT(again && again->dlq_id == cursor->dlq_id, "a cursor survives a round trip");
    }
    return 0;
}
