#pragma once
/// One CloudEvent 1.0 in the JSON event format, and the way from the binary mode to it. Knows no
/// transport: who carries CloudEvents (HTTP in cloudevents.h, a Pub/Sub message, one of SNS) calls
/// it. Private to the room.
///
/// The CloudEvent's `source` is the event's scope and its `id` the event's id, so (source, id) is
/// its identity, as the specification has it. `com.example.OrderPlaced` becomes `OrderPlaced`. The
/// rest goes to metadata: source, type (as sent), subject, dataschema, datacontenttype, and all
/// other attributes as sent under `extensions`; traceparent and tracestate are among those: they
/// tell of the trace in which the event came about, while the request's own header is that of its
/// delivery.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/cloudevents.h"
#include "adapters/envelope.h"

namespace helios::adapters {

/// Has it the mark of one (`specversion`)? Of whichever version.
bool is_cloudevent(json::Value value);

/// `*/json`, `*/…+json`, whatever its parameters and case.
bool is_json_type(std::string_view content_type);
/// Lower case, without parameters.
std::string media_type_of(std::string_view content_type);

/// What brought a CloudEvent, for its metadata: a member's name and its JSON. Empty: HTTP alone.
struct Carrier {
    std::string_view name;
    std::string json;
};

/// How CloudEvents of one request are read.
struct CloudEventReader {
    const TenantId& tenant;
    const CloudEventsRules& rules;
    std::vector<json::Document>& documents;  ///< of the Adapted: gets what is read on the way
    Carrier carrier{};

    /// From an object in the JSON format; what is none is rejected. `raw`: the item's bytes.
    Item read(json::Value element, std::string_view raw,
              const std::vector<Complaint>& complaints = {}) const;
};

/// A body that is one CloudEvent in the JSON format.
Adapted adapt_cloudevent(const TenantId& tenant, const CloudEventsRules& rules,
                         json::Document&& document, const std::vector<Complaint>& complaints = {});

/// A CloudEvent whose attributes came beside its data.
struct BinaryCloudEvent {
    std::vector<std::pair<std::string, std::string>> attributes;  ///< "id" → "e-1"
    std::vector<Complaint> complaints;  ///< of what could not be taken over
    std::string_view content_type;      ///< empty: JSON is assumed
    std::string_view data;

    /// The same in the JSON format. `data` that is not one JSON value, or not said to be, stands in
    /// `data_base64`.
    json::Document structured() const;
};

}  // namespace helios::adapters
