#pragma once
/// How long senders wait for an answer before they hang up and send again. What is done for one who
/// has hung up is done twice, so nothing is begun that would be answered too late. Pure.

#include "base/time.h"
#include "gateway/receipt.h"
#include "http/message.h"

namespace helios::gateway {

/// Facts about the senders, no options. An API destination of EventBridge waits 5 s, SNS, which
/// comes to the same endpoint and says so in its headers, 15 s: both documented by AWS as fixed.
/// Pub/Sub waits for its subscription's ackDeadlineSeconds, 10 s by default and at least; Event
/// Grid 30 s. Of direct and declared senders nothing is known: 10 s is what contracts.md asks of
/// them.
Duration patience_of(Endpoint endpoint, const http::Request& request);

/// With what we have fetched ourselves: a lock that would end is renewed as long as it takes, so
/// this only bounds how long one is.
inline constexpr Duration patience_with_fetched = std::chrono::minutes(30);

/// Of that, what there is from the arrival of a request to its answer: a fifth is left for the ways
/// there and back, and for how late a sender that is told at the last moment is told.
Duration time_to_answer(Duration patience);

/// Who is refused first when more comes than can be written: whoever loses least by it. From first
/// to last: direct senders, who are asked to send again and keep what they send (declared ones and
/// CloudEvents count among them); Pub/Sub, which keeps a message for days; EventBridge, a day;
/// Event Grid, which may drop an event after a day, and sends again in larger steps; SNS, which
/// gives up soonest.
///
/// A request is refused if an answer to it would take longer from when it is read; and, with the
/// time that it has waited unread, longer than time_to_answer of its sender.
Duration taken_up_to(SenderKind sender);
/// And as soon as the bodies that wait leave less than this of the room that there is for them.
unsigned leaves_percent(SenderKind sender);

}  // namespace helios::gateway
