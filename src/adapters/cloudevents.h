#pragma once
/// CloudEvents 1.0 over HTTP, from anybody: one in binary mode (the attributes are headers), one in
/// structured mode, or a batch.
///
/// Mode, by Content-Type, whatever its case: `application/cloudevents-batch…` is a batch,
/// `application/cloudevents…` structured, anything else binary, where the headers ce-id, ce-source,
/// ce-specversion and ce-type are there. Only JSON is read of the first two. Beyond the
/// specification a JSON object with `specversion`, or an array with one, is taken as what it is,
/// under whatever Content-Type.
///
/// Recognised in binary mode by one of those four headers; what is missing then is a rejection.
/// Header values are taken out of double quotes and percent-decoded once. An event of the binary
/// mode is kept, where it is rejected, in structured mode: so it is whole.
///
/// The payload must be a JSON object: `data`, or JSON in `data_base64`.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "adapters/adapter.h"

namespace helios::adapters {

/// For which of our sources a CloudEvent speaks.
struct CloudEventsRules {
    /// What its `source` begins with → ours; the longest that fits counts.
    std::map<std::string, std::string, std::less<>> map{};
    std::string otherwise =
        "cloudevents";  ///< a cloud's own endpoint has no map, and its name here

    std::string_view source_of(std::string_view source) const;
};

/// Items in the batch's order (an empty one has none), or NotThisProtocol: not JSON, no CloudEvent,
/// or a format that is not read (`unread_media_type`). Scope: the CloudEvent's source.
Adapted adapt_cloudevents(const RawRequest& request, const CloudEventsRules& rules = {});

/// What a request's headers say.
enum class CloudEventsMode : std::uint8_t {
    none,  ///< nothing of CloudEvents, or not all of the four headers
    binary,
    structured,
    batch,
    unread,  ///< structured or a batch, in a format other than JSON
};
CloudEventsMode cloudevents_mode(const RawRequest& request);
/// The same, of a Content-Type alone: never binary.
CloudEventsMode cloudevents_mode(std::string_view content_type);

}  // namespace helios::adapters
