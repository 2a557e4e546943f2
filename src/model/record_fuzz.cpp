// Arbitrary bytes as records: never a crash; what decodes encodes to the same value again.

#include <cstdlib>
#include <string_view>

#include "model/absence.h"
#include "model/case_record.h"
#include "model/counts.h"
#include "model/dlq_outcome.h"
#include "model/event.h"
#include "model/flow_activation.h"
#include "model/position.h"
#include "model/quarantined.h"
#include "model/redrive.h"
#include "model/verdict.h"

namespace {

template <class Decode>
void check(std::string_view bytes, Decode decode) {
    using helios::model::encode;
    if (const auto value = decode(bytes)) {
        const auto again = decode(encode(*value));
        if (!again || !(*again == *value)) {
            std::abort();
        }
    }
}

void check_positions(std::string_view text) {
    using namespace helios::model;
    if (const auto positions = decode_positions(text)) {
        const auto again = decode_positions(encode_positions(*positions));
        if (!again || again->size() != positions->size()) {
            std::abort();
        }
        for (std::size_t i = 0; i < again->size(); ++i) {
            const auto& a = (*again)[i];
            const auto& b = (*positions)[i];
            if (a.log != b.log || a.pointer != b.pointer || a.log_time != b.log_time) {
                std::abort();
            }
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace helios::model;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    check(bytes, decode_event);
    check(bytes, decode_case_record);
    check(bytes, decode_verdict);
    check(bytes, decode_quarantined);
    check(bytes, decode_quarantine_repeat);
    check(bytes, decode_dlq_outcome);
    check(bytes, decode_redrive);
    check(bytes, decode_counts);
    check(bytes, decode_flow_activation);
    check(bytes, decode_absence);
    check_positions(bytes);
    return 0;
}
