#pragma once
/// What `helios dlq resubmit` gives anew of an item, and how that differs from what is kept. Pure.

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace helios::app {

/// As typed; empty: it stays. Payload and body are contents of files.
struct DlqEdits {
    std::string payload;
    std::string event_type;
    std::string id;
    std::string time;
    std::string source;
    std::string body;

    bool any() const { return !(payload + event_type + id + time + source + body).empty(); }
};

/// The body of a resubmit request. invalid: the payload is no JSON object.
Result<std::string> to_json(const DlqEdits& edits);

/// One line per difference, "- member value" before "+ member value", members of objects by their
/// path. `item`: as the API shows it.
std::vector<std::string> differences(json::Value item, const DlqEdits& edits);

}  // namespace helios::app
