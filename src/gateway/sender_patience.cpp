#include "gateway/sender_patience.h"

namespace helios::gateway {

Duration patience_of(Endpoint endpoint, const http::Request& request) {
    switch (endpoint) {
        case Endpoint::aws_eventbridge:
            return std::chrono::seconds(request.header("x-amz-sns-message-type") != nullptr ? 15
                                                                                            : 5);
        case Endpoint::azure_eventgrid:
            return std::chrono::seconds(30);
        case Endpoint::gcp_pubsub:
        case Endpoint::ingest:
        case Endpoint::batch:
        case Endpoint::cloudevents:
        case Endpoint::declared:
            break;
    }
    return std::chrono::seconds(10);
}

Duration taken_up_to(SenderKind sender) {
    switch (sender) {
        case SenderKind::direct:
        case SenderKind::cloudevents:
        case SenderKind::standard_webhooks:
            return std::chrono::seconds(2);
        case SenderKind::pubsub:
            return std::chrono::seconds(3);
        case SenderKind::api_destination:
            return std::chrono::seconds(4);
        case SenderKind::event_grid:
            return std::chrono::seconds(8);
        case SenderKind::sns:
            break;
    }
    return std::chrono::seconds(12);
}

unsigned leaves_percent(SenderKind sender) {
    switch (sender) {
        case SenderKind::direct:
        case SenderKind::cloudevents:
        case SenderKind::standard_webhooks:
            return 50;
        case SenderKind::pubsub:
            return 40;
        case SenderKind::api_destination:
            return 30;
        case SenderKind::event_grid:
            return 15;
        case SenderKind::sns:
            break;
    }
    return 0;
}

Duration time_to_answer(Duration patience) {
    return patience - patience / 5;
}

}  // namespace helios::gateway
