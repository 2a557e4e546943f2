#pragma once
/// The event line: Helios' own form of an event (docs/contracts.md), as the body of a direct
/// ingest, an item of a batch, or a line of NDJSON.
///
/// `type` is accepted for `eventType`; an id may be a number (its text is the id); unknown members
/// are ignored. Which sources are known is the caller's business. Offline, lines may also carry
/// `receivedAt` and `position`, and control lines stand between them.

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "adapters/adapter.h"
#include "base/time.h"

namespace helios::adapters {

/// A body that is one event line. NotThisProtocol: not JSON, or not an object.
Adapted adapt_event_line(const RawRequest& request);

/// A JSON array of event lines (also a single one), in order; an empty array has no items.
/// NotThisProtocol: not JSON, or neither array nor object.
Adapted adapt_event_array(const RawRequest& request);

/// NDJSON. Blank lines are skipped; a line that is not JSON is a rejection (`not_json`) beside its
/// good neighbours. NotThisProtocol: there are lines and not one of them is a JSON object.
Adapted adapt_event_lines(const RawRequest& request);

/// A line of an offline input: an event with what an export knows of it.
struct EventLine {
    Item item = Rejection{};
    std::optional<Instant> received_at;
    std::string position;
};

/// {"control":"flow"…}: what happened beside events, in an export. Its members are the reader's
/// business.
struct ControlLine {
    std::string control;
    json::Value object;
};

struct OfflineLine {
    std::variant<EventLine, ControlLine> content;
    std::optional<json::Document>
        document;  ///< keeps payload and object alive; absent if the line was not JSON
};

/// One line, not empty, without its line break. Never fails: a bad line is a Rejection. `line` must
/// outlive the result.
OfflineLine parse_offline_line(std::string_view line);

}  // namespace helios::adapters
