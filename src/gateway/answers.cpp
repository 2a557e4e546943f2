#include "gateway/answers.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace helios::gateway {

namespace {

constexpr std::int64_t retry_seconds = 1;
constexpr std::int64_t retry_seconds_event_grid = 30;  // it waits at least that long anyway
constexpr std::int64_t retry_seconds_max = 60;

bool is_kept(const ItemReceipt& item) {
    return item.status != ItemStatus::failed;
}

bool is_retryable(const ItemReceipt& item) {
    return item.error && item.error->kind != ErrorKind::invalid &&
           item.error->kind != ErrorKind::denied;
}

/// Where the items stand, in one: who waits for it has waited for all. Empty: none has a position,
/// or they stand in more partitions than one position names.
std::string position_of(const std::vector<ItemReceipt>& items) {
    std::vector<model::PositionToken> found;
    for (const auto& item : items) {
        if (item.position) {
            found.push_back(*item.position);
        }
    }
    return model::encode_positions(std::move(found));
}

http::Response with_position(http::Response response, const std::vector<ItemReceipt>& items) {
    if (auto position = position_of(items); !position.empty()) {
        response.with("Helios-Position", std::move(position));
    }
    return response;
}

http::Response with_retry(http::Response response, Endpoint endpoint, Duration again) {
    std::erase_if(response.headers,
                  [](const auto& header) { return header.first == "Retry-After"; });
    const auto least =
        endpoint == Endpoint::azure_eventgrid ? retry_seconds_event_grid : retry_seconds;
    const std::int64_t seconds = std::chrono::ceil<std::chrono::seconds>(again).count();
    response.with("Retry-After", std::to_string(std::clamp(seconds, least, retry_seconds_max)));
    return response;
}

/// Overload, disk full, not ready. Clouds get 503 only: SNS takes any 4xx, 429 included, for a
/// final answer.
http::Response not_now(Endpoint endpoint, const Error& error, Duration again = {}) {
    const bool slow_down = (is_direct(endpoint) || endpoint == Endpoint::declared) &&
                           error.kind == ErrorKind::exhausted;
    return with_retry(
        http::problem(slow_down ? 429 : 503, slow_down ? "Too many requests" : "Not stored",
                      error.what, error.hint),
        endpoint, again);
}

/// 429 to whoever takes it for "later"; EventBridge honours Retry-After with it.
http::Response too_fast(Endpoint endpoint, const Receipt& receipt) {
    const bool slow_down = receipt.sender != SenderKind::sns &&
                           receipt.sender != SenderKind::pubsub &&
                           receipt.sender != SenderKind::event_grid;
    return with_retry(http::problem(slow_down ? 429 : 503, "Too many events", receipt.error.what,
                                    receipt.error.hint),
                      endpoint, receipt.again);
}

/// Who did not prove who he is. What may heal (rotation, a key server that is down, our own lists)
/// is answered so that this sender comes again; what nothing heals, so that he does not.
int status_of_unproved(const Receipt& receipt) {
    const bool forged = receipt.proof == auth::Proof::Kind::forged;
    switch (receipt.sender) {
        case SenderKind::sns:  // takes any 4xx for a final answer, and 401 for "say who you are"
            return forged ? 403 : receipt.asks_basic ? 401 : 503;
        case SenderKind::api_destination:
            return forged ? 403 : 401;
        case SenderKind::pubsub:
            return 403;
        case SenderKind::event_grid:  // drops what is answered 401 or 403
            return forged ? 403 : 503;
        case SenderKind::direct:
        case SenderKind::cloudevents:
        case SenderKind::standard_webhooks:
            break;
    }
    return 401;
}

http::Response answer_unproved(Endpoint endpoint, const Receipt& receipt) {
    const int status = status_of_unproved(receipt);
    auto response = http::problem(status, status == 503 ? "Not stored" : "Sender not known",
                                  receipt.error.what, receipt.error.hint);
    if (status == 401) {
        response.with("WWW-Authenticate", receipt.asks_basic
                                              ? "Basic realm=\"helios\", charset=\"UTF-8\""
                                              : "Bearer realm=\"helios\"");
    }
    return status == 503 ? with_retry(std::move(response), endpoint, {}) : std::move(response);
}

void write_texts(json::Writer& out, std::string_view name, const std::vector<std::string>& texts) {
    out.key(name).begin_array();
    for (const auto& text : texts) {
        out.string(text);
    }
    out.end_array();
}

void write_id(json::Writer& out, const ItemReceipt& item) {
    if (!item.event_id.empty()) {
        out.field("eventId", std::string_view(item.event_id));
        if (item.identity == model::IdentityKind::content) {
            out.field("identity", "content");
        }
    }
}

void write_position(json::Writer& out, const ItemReceipt& item) {
    if (item.position) {
        out.field("position", std::string_view(model::encode_position(*item.position)));
    }
}

/// The members that an item has in every answer; alone, the status code says whether to send it
/// again.
void write_item(json::Writer& out, const ItemReceipt& item, bool in_batch) {
    out.field("status", to_string(item.status));
    write_id(out, item);
    if (in_batch) {
        out.field("retryable", is_retryable(item));
    }
    switch (item.status) {
        case ItemStatus::accepted:
            write_position(out, item);
            write_texts(out, "warnings", item.warnings);
            break;
        case ItemStatus::duplicate:
            write_position(out, item);
            break;
        case ItemStatus::conflict:
            out.field("dlqId", std::string_view(item.dlq_id))
                .field("detail", std::string_view(item.detail));
            break;
        case ItemStatus::quarantined:
            out.field("dlqId", std::string_view(item.dlq_id))
                .field("reason", std::string_view(item.reason));
            write_texts(out, "errors", item.errors);
            break;
        case ItemStatus::noted:
            out.field("dlqId", std::string_view(item.dlq_id));
            break;
        case ItemStatus::failed:
            if (item.error) {
                out.field("error", std::string_view(item.error->what));
            }
            break;
    }
}

std::string body_of(const ItemReceipt& item) {
    json::Writer out;
    out.begin_object();
    write_item(out, item, false);
    return out.end_object().take();
}

struct Tally {
    std::array<std::uint64_t, 6> n{};
    explicit Tally(const std::vector<ItemReceipt>& items) {
        for (const auto& item : items) {
            ++n[static_cast<std::size_t>(item.status)];
        }
    }
    std::uint64_t of(ItemStatus status) const { return n[static_cast<std::size_t>(status)]; }
    void write(json::Writer& out) const {
        for (const auto status : {ItemStatus::accepted, ItemStatus::duplicate, ItemStatus::conflict,
                                  ItemStatus::quarantined, ItemStatus::failed}) {
            out.field(to_string(status), of(status));
        }
    }
};

const Error& first_failure(const std::vector<ItemReceipt>& items) {
    static const Error none{ErrorKind::unavailable, "nothing could be stored", ""};
    const ItemReceipt* found = nullptr;
    for (const auto& item : items) {
        if (item.error && (found == nullptr || (!is_retryable(*found) && is_retryable(item)))) {
            found = &item;
        }
    }
    return found == nullptr ? none : *found->error;
}

http::Response answer_cloud(Endpoint endpoint, const std::vector<ItemReceipt>& items) {
    if (!std::all_of(items.begin(), items.end(), is_kept)) {
        return not_now(endpoint, first_failure(items));
    }
    if (endpoint == Endpoint::gcp_pubsub) {
        return with_position(http::Response::empty(204), items);
    }
    if (endpoint == Endpoint::aws_eventbridge && items.size() == 1) {
        return with_position(http::Response::json(200, body_of(items.front())), items);
    }
    json::Writer out;
    out.begin_object();
    Tally(items).write(out);
    return with_position(http::Response::json(200, out.end_object().take()), items);
}

http::Response quarantined_problem(const ItemReceipt& item) {
    json::Writer members;
    members.begin_object()
        .field("reason", std::string_view(item.reason))
        .field("dlqId", std::string_view(item.dlq_id));
    write_id(members, item);
    write_texts(members, "errors", item.errors);
    auto inside = members.end_object().take();
    inside = inside.substr(1, inside.size() - 2);
    return http::problem(422, "Event quarantined", item.detail,
                         "correct the event and send it again, with the same id if you like",
                         inside);
}

http::Response answer_ingest(Endpoint endpoint, const ItemReceipt& item) {
    switch (item.status) {
        case ItemStatus::accepted:
            return http::Response::json(202, body_of(item));
        case ItemStatus::duplicate:
            return http::Response::json(200, body_of(item));
        case ItemStatus::conflict:
            return http::Response::json(409, body_of(item));
        case ItemStatus::quarantined:
            return quarantined_problem(item);
        case ItemStatus::noted:
            break;
        case ItemStatus::failed:
            if (item.too_large) {
                return http::problem(413, "Event too large", item.error->what, item.error->hint);
            }
            if (item.error && item.error->kind == ErrorKind::denied) {
                return http::problem(403, "Not for this sender", item.error->what,
                                     item.error->hint);
            }
            return not_now(endpoint, item.error ? *item.error : first_failure({}));
    }
    return http::Response::empty(500);
}

http::Response answer_batch(Endpoint endpoint, const std::vector<ItemReceipt>& items) {
    const bool none_kept = !items.empty() && std::none_of(items.begin(), items.end(), is_kept);
    if (none_kept && std::any_of(items.begin(), items.end(), is_retryable)) {
        return not_now(endpoint, first_failure(items));
    }
    json::Writer out;
    out.begin_object();
    Tally(items).write(out);
    if (const auto position = position_of(items); !position.empty()) {
        out.field("position", std::string_view(position));
    }
    out.key("items").begin_array();
    for (std::size_t i = 0; i < items.size(); ++i) {
        out.begin_object().field("index", std::uint64_t{i});
        write_item(out, items[i], true);
        out.end_object();
    }
    out.end_array();
    return http::Response::json(200, out.end_object().take());
}

http::Response answer_declared(const DeclaredSender& sender,
                               const std::vector<ItemReceipt>& items) {
    const auto too_large = std::ranges::find_if(items, &ItemReceipt::too_large);
    if (too_large != items.end()) {
        return http::problem(413, "Event too large", too_large->error->what,
                             too_large->error->hint);
    }
    if (!std::all_of(items.begin(), items.end(), is_kept)) {
        return not_now(Endpoint::declared, first_failure(items));
    }
    auto response = sender.body.empty() ? http::Response::empty(sender.status)
                    : sender.body.starts_with('{')
                        ? http::Response::json(sender.status, sender.body)
                        : http::Response::text(sender.status, sender.body);
    return with_position(std::move(response), items);
}

}  // namespace

http::Response answer(const Door& door, const Receipt& receipt) {
    const Endpoint endpoint = door.endpoint;
    switch (receipt.kind) {
        case Receipt::Kind::items:
            break;
        case Receipt::Kind::handshake:
            return receipt.body.empty() ? http::Response::empty(200)
                                        : http::Response::json(200, receipt.body);
        case Receipt::Kind::nothing_to_do:
            return http::Response::json(200, R"({"status":"noted"})");
        case Receipt::Kind::not_this_protocol:
            return http::problem(400, "Not readable", receipt.error.what, receipt.error.hint);
        case Receipt::Kind::wrong_media_type:
            return http::problem(415, "Unsupported media type", receipt.error.what,
                                 receipt.error.hint);
        case Receipt::Kind::too_large:
            return http::problem(413, "Content too large", receipt.error.what, receipt.error.hint);
        case Receipt::Kind::too_fast:
            return too_fast(endpoint, receipt);
        case Receipt::Kind::unproved:
            return answer_unproved(endpoint, receipt);
        case Receipt::Kind::refused:
            return not_now(endpoint, receipt.error, receipt.again);
        case Receipt::Kind::overdue:
            return with_retry(
                http::problem(503, "Not known yet", receipt.error.what, receipt.error.hint),
                endpoint, receipt.again);
    }
    const bool one = endpoint == Endpoint::cloudevents && !receipt.batched;
    if (endpoint == Endpoint::ingest || one) {
        return answer_ingest(endpoint, receipt.items.front());
    }
    if (door.declared != nullptr) {
        return answer_declared(*door.declared, receipt.items);
    }
    return is_cloud(endpoint) ? answer_cloud(endpoint, receipt.items)
                              : answer_batch(endpoint, receipt.items);
}

}  // namespace helios::gateway
