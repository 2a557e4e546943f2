#pragma once
/// Azure: Event Grid push in its own schema, as CloudEvents, or in the custom schema of a topic: an
/// array of any length; a single object is accepted too.
///
/// An element is a CloudEvent if it has `specversion`, or if the Content-Type says so; Event Grid's
/// if it has two of id, eventType, eventTime, subject, data, dataVersion; a body without either is
/// not this protocol. Where AzureRules say how a custom schema is read, whatever object has not all
/// six of those is read so: its members may be named like Event Grid's. What Event Grid says of the
/// subscription itself comes in its own schema, whatever the events'. CloudEvents before 1.0 are
/// rejected (`cloudevent`). `Contoso.Orders.OrderPlaced` becomes `OrderPlaced`; the name as sent
/// stays in metadata.

#include <optional>
#include <string_view>

#include "adapters/adapter.h"
#include "base/result.h"
#include "model/path.h"

namespace helios::adapters {

/// Where a custom schema has what an event needs.
struct AzureCustom {
    std::optional<model::Path> id;  ///< absent: the content is the identity
    model::Path type;
    std::optional<model::Path> time;
    std::optional<model::Path> payload;  ///< absent: the whole element

    /// From paths as text, an empty one is absent. invalid: a path that is none, or one with "[]",
    /// or no type.
    static Result<AzureCustom> parse(std::string_view id, std::string_view type,
                                     std::string_view time, std::string_view payload);
};

struct AzureRules {
    std::optional<AzureCustom> custom{};
};

/// Items in the array's order, a ValidationHandshake (by header `aeg-event-type` or by event type,
/// and alone), a SubscriptionDeletion, or NotThisProtocol. source "azure", scope the topic, of a
/// CloudEvent its source, of the custom schema none.
Adapted adapt_azure(const RawRequest& request, const AzureRules& rules = {});

}  // namespace helios::adapters
