#include <cstddef>
#include <cstdint>

#include "api/cursor.h"
#include "base/assert.h"

/// Cursors come back from clients: any text is either refused or says the same after another round.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr helios::api::CursorMark mark = 7;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const auto list : {helios::api::CaseList::mismatches, helios::api::CaseList::by_opening,
                            helios::api::CaseList::by_decision}) {
        if (const auto cursor = helios::api::decode_case_cursor(mark, list, text)) {
            const auto again = helios::api::decode_case_cursor(
                mark, list, helios::api::encode_cursor(mark, list, *cursor));
            HELIOS_ASSERT(again && *again == *cursor, "a cursor survives a round trip");
        }
    }
    if (const auto cursor = helios::api::decode_event_cursor(mark, text)) {
        const auto again =
            helios::api::decode_event_cursor(mark, helios::api::encode_cursor(mark, *cursor));
        HELIOS_ASSERT(
            again && again->pointer == cursor->pointer && again->log_time == cursor->log_time,
            "a cursor survives a round trip");
    }
    if (const auto cursor = helios::api::decode_quarantine_cursor(mark, text)) {
        const auto again =
            helios::api::decode_quarantine_cursor(mark, helios::api::encode_cursor(mark, *cursor));
        HELIOS_ASSERT(again && again->dlq_id == cursor->dlq_id, "a cursor survives a round trip");
    }
    return 0;
}
