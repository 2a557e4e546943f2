#pragma once
/// AWS: the EventBridge envelope, delivered by an API destination as it is or by SNS as a JSON
/// string in `Message`.
///
/// Recognised as EventBridge: an object with `detail-type`, or with both `detail` and `source`. As
/// SNS: an object whose `Type` is a string beside `TopicArn` or `MessageId`. Anything else is not
/// this protocol. The content type says nothing here: SNS sends JSON as text/plain.
///
/// Inside SNS the EventBridge id counts, not the MessageId: a republished event gets a new
/// MessageId. A Notification whose Message is no EventBridge envelope is rejected
/// (`not_an_envelope`), never guessed at: a publisher to a topic must not be able to speak for
/// another source.

#include "adapters/adapter.h"

namespace helios::adapters {

/// One event, one SnsConfirmation, or NotThisProtocol. source "aws", scope "account/region"; the
/// envelope's own `source`, `resources` and the SNS topic go to metadata.
Adapted adapt_aws_eventbridge(const RawRequest& request);

}  // namespace helios::adapters
