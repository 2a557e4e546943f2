#pragma once
/// How three clouds wrap one fact on its way to a webhook, as faithfully as their public documents
/// allow.
///
/// Values in, bytes out: no clock, no randomness. The shapes are those of EventBridge API
/// destinations, EventBridge through SNS, Pub/Sub push (wrapped) and Event Grid (its own schema).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "http/message.h"
#include "lab/shop.h"

namespace helios::lab {

enum class Cloud : std::uint8_t { aws, gcp, azure };
std::string_view to_string(Cloud cloud);
/// Orders come from AWS, payments from GCP, reservations from Azure.
Cloud cloud_of(Leg leg);

/// One fact before it is wrapped.
struct Fact {
    Leg leg = Leg::order;
    std::string event_id;  ///< the id that the cloud gives it: a UUID, or digits for Pub/Sub
    std::string order_id;  ///< for subjects and resource names only
    std::string payload;   ///< JSON, or (malformed on purpose) not
    Instant at;
};

enum class Wrapping : std::uint8_t {
    usual,          ///< the cloud's usual envelope
    sns,            ///< AWS only: the EventBridge envelope as text inside an SNS notification
    camel_id_only,  ///< GCP only: messageId and publishTime, without their snake_case twins
    snake_id_only,  ///< GCP only: message_id and publish_time alone
};

/// An HTTP POST that is ready to go.
struct Delivery {
    std::string target;
    http::Headers headers;  ///< Content-Type among them
    std::string body;
};

std::string eventbridge_envelope(const Fact& fact);
std::string sns_notification(const Fact& fact);
std::string pubsub_push(const Fact& fact, Wrapping wrapping);
std::string eventgrid_event(const Fact& fact);  ///< one element of the array

/// What the cloud of fact.leg would send. Event Grid: an array of one.
Delivery deliver(const Fact& fact, Wrapping wrapping);
/// Event Grid delivers several in one array; all facts are Azure's.
Delivery deliver_batch(const std::vector<const Fact*>& facts);

}  // namespace helios::lab
