#include "model/admission.h"

#include "base/shown.h"

namespace helios::model {

Admission admit(Event& event, json::Value payload, const Catalogue& catalogue,
                const KnownSource& known) {
    auto judgement = catalogue.judge(event, payload);
    event.key = judgement.key;
    Admission out;
    out.topic = judgement.topic;
    if (!is_built_in_source(event.source) && !known(event.tenant, event.source)) {
        out.reason = "unknown_source";
        out.detail =
            "source: \"" + shown(event.source) +
            "\" is neither a cloud's, nor a sender's that the configuration has, nor named by an "
            "active flow";
        out.errors.push_back(out.detail);
    } else if (!judgement.accepted) {
        out.reason = std::move(judgement.reason);
        out.detail = judgement.errors.front();
        out.errors = std::move(judgement.errors);
    } else {
        take_judgement(event, judgement);
    }
    return out;
}

Admission too_large(std::size_t record_bytes_max) {
    Admission out;
    out.reason = "too_large";
    out.detail = "larger than the record limit of " + std::to_string(record_bytes_max) + " bytes";
    out.errors.push_back("event: " + out.detail);
    return out;
}

}  // namespace helios::model
