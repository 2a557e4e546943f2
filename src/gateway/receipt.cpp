#include "gateway/receipt.h"

namespace helios::gateway {

std::string_view path_of(Endpoint endpoint) {
    switch (endpoint) {
        case Endpoint::aws_eventbridge:
            return "/api/v1/webhooks/aws/eventbridge";
        case Endpoint::gcp_pubsub:
            return "/api/v1/webhooks/gcp/pubsub";
        case Endpoint::azure_eventgrid:
            return "/api/v1/webhooks/azure/eventgrid";
        case Endpoint::ingest:
            return "/api/v1/events/ingest";
        case Endpoint::batch:
            return "/api/v1/events/batch";
    }
    return {};
}

std::string_view source_of(Endpoint endpoint) {
    switch (endpoint) {
        case Endpoint::aws_eventbridge:
            return "aws";
        case Endpoint::gcp_pubsub:
            return "gcp";
        case Endpoint::azure_eventgrid:
            return "azure";
        case Endpoint::ingest:
        case Endpoint::batch:
            return "direct";
    }
    return {};
}

std::optional<Endpoint> endpoint_at(std::string_view path) {
    for (const auto endpoint : {Endpoint::aws_eventbridge, Endpoint::gcp_pubsub,
                                Endpoint::azure_eventgrid, Endpoint::ingest, Endpoint::batch}) {
        if (path_of(endpoint) == path) {
            return endpoint;
        }
    }
    return std::nullopt;
}

std::optional<std::string_view> source_at(std::string_view path) {
    const auto endpoint = endpoint_at(path);
    if (!endpoint) {
        return std::nullopt;
    }
    return is_direct(*endpoint) ? std::string_view() : source_of(*endpoint);
}

SenderKind sender_of(Endpoint endpoint, const http::Request& request) {
    switch (endpoint) {
        case Endpoint::aws_eventbridge:
            return request.header("x-amz-sns-message-type") == nullptr ? SenderKind::api_destination
                                                                       : SenderKind::sns;
        case Endpoint::gcp_pubsub:
            return SenderKind::pubsub;
        case Endpoint::azure_eventgrid:
            return SenderKind::event_grid;
        case Endpoint::ingest:
        case Endpoint::batch:
            break;
    }
    return SenderKind::direct;
}

std::string_view to_string(ItemStatus status) {
    switch (status) {
        case ItemStatus::accepted:
            return "accepted";
        case ItemStatus::duplicate:
            return "duplicate";
        case ItemStatus::conflict:
            return "conflict";
        case ItemStatus::quarantined:
            return "quarantined";
        case ItemStatus::noted:
            return "noted";
        case ItemStatus::failed:
            return "failed";
    }
    return {};
}

}  // namespace helios::gateway
