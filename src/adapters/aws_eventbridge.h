#pragma once
/// AWS: the EventBridge envelope, delivered by an API destination as it is or by SNS as a JSON
/// string in `Message`; and CloudEvents, which an input transformer makes.
///
/// Recognised as CloudEvents: see cloudevents.h. As EventBridge: an object with `detail-type`, or
/// with both `detail` and `source`. As SNS: an object whose `Type` is a string beside `TopicArn` or
/// `MessageId`; with raw delivery (header `x-amz-sns-rawdelivery: true`) whatever comes is the
/// message itself, also if it looks like one of SNS: a publisher must not be able to confirm a
/// subscription. Any other object may be the `$.detail` of an event that an input transformer sent
/// alone: that is not this protocol (`detail_alone`), unless AwsRules name the type of such events.
/// The content type says nothing here but that of CloudEvents: SNS sends JSON as text/plain.
///
/// Inside SNS the EventBridge id counts, not the MessageId: a republished event gets a new
/// MessageId. A Notification whose Message is neither an EventBridge envelope nor a CloudEvent is
/// rejected (`not_an_envelope`), never guessed at: a publisher to a topic must not be able to speak
/// for another source.

#include <string>

#include "adapters/adapter.h"

namespace helios::adapters {

struct AwsRules {
    /// The type of an event of which only the detail comes; its id is its content's, so equal
    /// details are one event. Empty: there are none.
    std::string detail_only{};
};

/// One event or rejection (a batch of CloudEvents: many), one SnsConfirmation, or NotThisProtocol.
/// source "aws", scope "account/region", of a CloudEvent its source, of a detail alone none; the
/// envelope's own `source`, `resources` and the SNS topic go to metadata.
Adapted adapt_aws(const RawRequest& request, const AwsRules& rules = {});

/// Of a request that is authentic by the signature of its SNS message: that message and nothing
/// else, whatever headers and members that are not signed make it look like.
Adapted adapt_signed_sns(const RawRequest& request, const AwsRules& rules = {});

}  // namespace helios::adapters
