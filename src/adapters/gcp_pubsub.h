#pragma once
/// GCP: Pub/Sub push, wrapped or unwrapped (with the metadata written to headers); and CloudEvents,
/// inside a message or posted as such.
///
/// Recognised as wrapped: an object with an object `message` that has data, attributes or a message
/// id, or that stands beside `subscription`. `message.data` is base64 of the business payload,
/// which must be a JSON object. Both key spellings are accepted; where both are there they must
/// agree. The event type is, first present: the attributes eventType, event_type, type, ce-type
/// (its last dotted part), then the payload's eventType, event_type, type. Without any the message
/// is rejected (`missing_field`): it could never match anything, and in quarantine it can be given
/// one.
///
/// Recognised as unwrapped: by the header `x-goog-pubsub-message-id`, whatever the body looks like.
/// Attributes are headers then, and publishers choose those: only the ones that are read here are
/// taken over, and of what Pub/Sub says itself nothing is taken from them. It is read as the same
/// message wrapped, so both are one event, and kept so where it is rejected.
///
/// A message is a CloudEvent if its attribute content-type says so (structured), or if it has the
/// attributes ce-id, ce-source, ce-specversion and ce-type, which are not encoded as HTTP's are.
/// Other CloudEvents: see cloudevents.h.

#include "adapters/adapter.h"

namespace helios::adapters {

/// One event or rejection (a batch of CloudEvents: many), or NotThisProtocol. source "gcp", scope
/// the subscription, id the message id; of a CloudEvent its source and id. Attributes, ordering key
/// and delivery attempt go to metadata.
Adapted adapt_gcp(const RawRequest& request);

}  // namespace helios::adapters
