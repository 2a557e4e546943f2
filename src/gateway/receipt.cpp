#include "gateway/receipt.h"

#include <algorithm>

namespace helios::gateway {
namespace {

constexpr std::string_view webhooks = "/api/v1/webhooks/";

}  // namespace

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
        case Endpoint::cloudevents:
            return "/api/v1/webhooks/cloudevents";
        case Endpoint::declared:
            return "/api/v1/webhooks/{name}";
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
        case Endpoint::cloudevents:
            return "cloudevents";
        case Endpoint::declared:
            break;
    }
    return {};
}

std::vector<std::string> Door::headers_kept() const {
    if (declared == nullptr) {
        return {};
    }
    auto names = declared->rules.headers();
    if (declared->signature) {  // a credential is never kept
        std::erase(names, declared->signature->header);
    }
    std::erase(names, "authorization");
    return names;
}

std::optional<Endpoint> endpoint_at(std::string_view path) {
    for (const auto endpoint : all_endpoints) {
        if (path_of(endpoint) == path) {
            return endpoint;
        }
    }
    return std::nullopt;
}

std::optional<std::string_view> source_at(std::string_view path) {
    if (const auto endpoint = endpoint_at(path)) {
        return names_sources(*endpoint) ? std::string_view() : source_of(*endpoint);
    }
    if (path.starts_with(webhooks)) {
        path.remove_prefix(webhooks.size());
        if (path.find('/') == std::string_view::npos) {
            return path;
        }
    }
    return std::nullopt;
}

std::optional<Door> door_at(std::string_view path, const DeclaredSenders& declared) {
    if (const auto endpoint = endpoint_at(path)) {
        return Door(*endpoint);
    }
    const auto sender = declared.find(source_at(path).value_or(std::string_view()));
    return sender == declared.end() ? std::nullopt : std::optional(Door(sender->second));
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
        case Endpoint::cloudevents:
            return SenderKind::cloudevents;
        case Endpoint::declared:
            return SenderKind::standard_webhooks;
        case Endpoint::ingest:
        case Endpoint::batch:
            break;
    }
    return SenderKind::direct;
}

bool is_settled(const Receipt& receipt) {
    switch (receipt.kind) {
        case Receipt::Kind::items:
            return std::ranges::all_of(receipt.items, [](const ItemReceipt& item) {
                return item.status != ItemStatus::failed;
            });
        case Receipt::Kind::handshake:
        case Receipt::Kind::nothing_to_do:
            return true;
        case Receipt::Kind::not_this_protocol:
        case Receipt::Kind::wrong_media_type:
        case Receipt::Kind::too_large:
        case Receipt::Kind::unproved:
        case Receipt::Kind::refused:
        case Receipt::Kind::too_fast:
        case Receipt::Kind::overdue:
            break;
    }
    return false;
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
