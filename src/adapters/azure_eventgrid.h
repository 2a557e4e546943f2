#pragma once
/// Azure: Event Grid push in its own schema: an array of any length; a single object is accepted
/// too.
///
/// An element is recognised as Event Grid if it has two of id, eventType, eventTime, subject, data,
/// dataVersion; a body without any such element is not this protocol. A CloudEvent among them is
/// rejected (`cloudevent`) and kept until Helios reads that format. `Contoso.Orders.OrderPlaced`
/// becomes `OrderPlaced`; the name as sent stays in metadata.eventType.

#include "adapters/adapter.h"

namespace helios::adapters {

/// Items in the array's order, a ValidationHandshake (by header `aeg-event-type` or by event type,
/// and alone), a SubscriptionDeletion, or NotThisProtocol. source "azure", scope the topic.
Adapted adapt_azure_eventgrid(const RawRequest& request);

}  // namespace helios::adapters
