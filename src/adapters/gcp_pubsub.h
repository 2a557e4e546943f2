#pragma once
/// GCP: Pub/Sub push, wrapped. `message.data` is base64 of the business payload, which must be a
/// JSON object.
///
/// Recognised: an object with an object `message` that has data, attributes or a message id, or
/// that stands beside `subscription`. Both key spellings are accepted; where both are there they
/// must agree. The event type is, first present: the attributes eventType, event_type, type,
/// ce-type (its last dotted part), then the payload's eventType, event_type, type. Without any the
/// message is rejected (`missing_field`): it could never match anything, and in quarantine it can
/// be given one.

#include "adapters/adapter.h"

namespace helios::adapters {

/// One event or rejection, or NotThisProtocol. source "gcp", scope the subscription, id the message
/// id; attributes and the ordering key go to metadata.
Adapted adapt_gcp_pubsub(const RawRequest& request);

}  // namespace helios::adapters
