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

Duration time_to_answer(Duration patience) {
    return patience - patience / 5;
}

}  // namespace helios::gateway
