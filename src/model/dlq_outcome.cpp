#include "model/dlq_outcome.h"

#include <limits>

#include "base/bytes.h"
#include "base/position_bytes.h"
#include "base/shown.h"
#include "model/record_bytes.h"

namespace helios::model {

std::string_view to_string(DlqResult result) {
    switch (result) {
        case DlqResult::accepted:
            return "accepted";
        case DlqResult::duplicate:
            return "duplicate";
        case DlqResult::conflict:
            return "conflict";
        case DlqResult::failed:
            return "failed";
        case DlqResult::exhausted:
            return "exhausted";
        case DlqResult::discarded:
            return "discarded";
    }
    return {};
}

std::string_view to_string(DlqStatus status) {
    switch (status) {
        case DlqStatus::waiting:
            return "waiting";
        case DlqStatus::accepted:
            return "accepted";
        case DlqStatus::discarded:
            return "discarded";
        case DlqStatus::exhausted:
            return "exhausted";
    }
    return {};
}

Result<DlqStatus> parse_dlq_status(std::string_view text) {
    for (std::size_t i = 0; i < dlq_statuses; ++i) {
        if (const auto status = static_cast<DlqStatus>(i); to_string(status) == text) {
            return status;
        }
    }
    return fail(ErrorKind::invalid, "status: \"" + shown(text) + "\" is none of an item",
                "waiting, accepted, discarded or exhausted");
}

std::string encode(const DlqOutcome& outcome) {
    ByteWriter out;
    out.string(outcome.tenant.text());
    out.string(outcome.id);
    out.u8(static_cast<std::uint8_t>(outcome.what));
    out.varint(outcome.attempt);
    out.string(outcome.source);
    out.string(outcome.scope);
    out.string(outcome.event_id);
    out.boolean(outcome.event.has_value());
    if (outcome.event) {
        write_position(out, *outcome.event);
    }
    out.string(outcome.reason);
    out.string(outcome.detail);
    out.string(outcome.who);
    out.zigzag(to_nanos(outcome.at));
    out.string(outcome.redrive);
    write_strings(out, outcome.edited);
    write_fields(out, {}, outcome.unknown);
    return out.take();
}

Result<DlqOutcome> decode_dlq_outcome(std::string_view bytes) {
    ByteReader in(bytes);
    DlqOutcome outcome(read_tenant(in));
    outcome.id = in.string();
    const auto what = in.u8();
    outcome.what = static_cast<DlqResult>(what);
    const auto attempt = in.varint();
    outcome.attempt = static_cast<std::uint32_t>(attempt);
    outcome.source = in.string();
    outcome.scope = in.string();
    outcome.event_id = in.string();
    const auto stands = in.u8();
    if (stands == 1) {
        outcome.event = read_pointer(in);
    }
    outcome.reason = in.string();
    outcome.detail = in.string();
    outcome.who = in.string();
    outcome.at = from_nanos(in.zigzag());
    outcome.redrive = in.string();
    outcome.edited = read_strings(in);
    for (FieldReader field(in); field.next();) {
        field.keep(outcome.unknown);
    }
    if (!in.at_end() || stands > 1 || what > static_cast<std::uint8_t>(DlqResult::discarded) ||
        attempt > std::numeric_limits<std::uint32_t>::max()) {
        return fail(ErrorKind::corrupt, "not an outcome of an item in the DLQ");
    }
    return outcome;
}

}  // namespace helios::model
