/// What a request has to pass before its body is looked at: there is room, its sender is who he
/// says and sends no faster than he may, and the body is of a kind that is read.

#include <algorithm>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/shown.h"
#include "gateway/sender_patience.h"
#include "gateway/submission.h"
#include "http/coding.h"
#include "http/url.h"

namespace helios::gateway {

namespace {

bool is_ndjson(std::string_view media_type) {
    return media_type == "application/x-ndjson" || media_type == "application/ndjson" ||
           media_type == "application/jsonl";
}

/// Of a Content-Type, lower case. Empty: it names none; nullopt: it names more than one.
std::optional<std::string> charset_of(std::string_view content_type) {
    std::string found;
    auto rest = content_type;
    for (auto at = rest.find(';'); at != std::string_view::npos; at = rest.find(';')) {
        rest.remove_prefix(at + 1);
        auto parameter = ascii::trimmed(rest.substr(0, rest.find(';')));
        const auto equals = parameter.find('=');
        if (equals == std::string_view::npos ||
            !http::equal_ignoring_case(parameter.substr(0, equals), "charset")) {
            continue;
        }
        parameter.remove_prefix(equals + 1);
        if (parameter.size() >= 2 && parameter.front() == '"' && parameter.back() == '"') {
            parameter = parameter.substr(1, parameter.size() - 2);
        }
        if (!found.empty()) {
            return std::nullopt;
        }
        found = ascii::lower(parameter);
    }
    return found;
}

}  // namespace

std::optional<std::pair<Receipt::Kind, Error>> Submission::wrong_content_type() const {
    const auto is_one = [](const auto& h) {
        return http::equal_ignoring_case(h.first, "Content-Type");
    };
    if (std::count_if(request_.headers.begin(), request_.headers.end(), is_one) > 1) {
        return std::pair(
            Receipt::Kind::not_this_protocol,
            Error{ErrorKind::invalid, "there is more than one Content-Type", "send one"});
    }
    const auto unread = [](std::string what, std::string hint) {
        return std::pair(Receipt::Kind::wrong_media_type,
                         Error{ErrorKind::invalid, std::move(what), std::move(hint)});
    };
    const auto media_type = request_.media_type();
    if (media_type != "application/json" &&
        !(endpoint_ == Endpoint::batch && is_ndjson(media_type))) {
        return unread(media_type.empty()
                          ? "the request has no Content-Type"
                          : "Content-Type \"" + shown(media_type) + "\" is not read here",
                      endpoint_ == Endpoint::batch
                          ? "send application/json (an array) or application/x-ndjson"
                          : "send application/json");
    }
    return wrong_charset();
}

std::optional<std::pair<Receipt::Kind, Error>> Submission::wrong_charset() const {
    const auto* type = request_.header("Content-Type");
    const auto charset = charset_of(type == nullptr ? "" : *type);
    if (charset && (charset->empty() || *charset == "utf-8" || *charset == "us-ascii")) {
        return std::nullopt;
    }
    return std::pair(Receipt::Kind::wrong_media_type,
                     Error{ErrorKind::invalid,
                           charset ? "charset \"" + shown(*charset) + "\" is not read here"
                                   : "Content-Type names more than one charset",
                           "JSON is utf-8: send it as such, and leave charset out"});
}

/// False: it has been answered.
bool Submission::take_place() {
    const Duration since = std::min(request_.waiting_since.value_or(started_), started_);
    const auto got =
        intake_.begin(*this, request_.body.size(), started_, since,
                      since + time_to_answer(door_.fetched ? patience_with_fetched
                                                           : patience_of(endpoint_, request_)),
                      receipt_.sender);
    if (got.closing) {
        tell_refused(door_.source());
        note_refused(door_.source(), refusal::stopping);
        Receipt receipt;
        receipt.sender = receipt_.sender;
        receipt.kind = Receipt::Kind::refused;
        receipt.error = {ErrorKind::stopping, "the server is shutting down",
                         "try again in a moment"};
        done_(std::move(receipt));
        return false;
    }
    intake_.metrics.in_flight().add(1);
    if (!got.again) {
        return true;
    }
    tell_refused(door_.source());
    receipt_.again = *got.again;
    finish_without_items(
        Receipt::Kind::refused,
        {ErrorKind::exhausted,
         fmt::format("more waits than is taken in of this kind of sender: an answer would take "
                     "about {:.1f} s",
                     std::chrono::duration<double>(got.wait).count()),
         "nothing was stored; send it again after the time in Retry-After"},
        "overload", true);
    return false;
}

/// False: it has been answered.
bool Submission::sender_is_proved() {
    if (door_.fetched || intake_.checks == nullptr || again_) {
        sender_.proof = auth::Proof::held(caller_.subject);
        sender_.authenticated = door_.fetched;
        return true;
    }
    sender_ = intake_.checks->check(door_, request_);
    if (sender_.proof.is_held()) {
        if (sender_.authenticated) {
            caller_.subject = sender_.proof.subject;
        }
        return true;
    }
    const auto& proof = sender_.proof;
    const bool by_us = proof.kind == auth::Proof::Kind::refused &&
                       proof.refusal == auth::Refusal::keys_unavailable;
    if (by_us) {  // it may well be who it says: that we can't tell is no silence of its
        tell_refused(door_.source());
    }
    receipt_.proof = proof.kind;
    receipt_.asks_basic = sender_.asks_basic && request_.header("Authorization") == nullptr;
    finish_without_items(Receipt::Kind::unproved,
                         {ErrorKind::denied, proof.text,
                          "nothing was stored; see docs/senders for what this endpoint asks"},
                         "unproved", true);
    return false;
}

bool Submission::may_bring(std::string_view source) const {
    return again_ || !names_sources(endpoint_) || intake_.checks == nullptr ||
           intake_.checks->may_speak_for(sender_.proof, source, source_of(endpoint_));
}

/// False: it has been answered. Before anything is read: what is refused must cost little.
bool Submission::is_within_rate() {
    if (again_) {
        return true;
    }
    const auto wait = intake_.rates.take(door_.source(), rated_as(), started_);
    if (!wait) {
        return true;
    }
    receipt_.again = *wait;
    finish_without_items(
        Receipt::Kind::too_fast,
        {ErrorKind::exhausted, "more events have come than this sender may send in a second",
         "nothing was stored; send it again after the time in Retry-After"},
        "rate", true);
    return false;
}

/// Of an item at an endpoint whose senders name the source of each: empty if that has an endpoint
/// of its own, where its bound holds.
std::string_view Submission::source_named_by(const adapters::Item& item) const {
    const auto* event = std::get_if<adapters::AdaptedEvent>(&item);
    const std::string_view source =
        event != nullptr ? event->event.source : std::get<adapters::Rejection>(item).source;
    const bool has_endpoint =
        std::ranges::find(sources_with_endpoint, source) != sources_with_endpoint.end();
    return has_endpoint ? std::string_view() : source;
}

/// What came, of the endpoint's source, for which one has been paid already, and of the sources
/// that it names. False: all of it is too fast, and has been answered.
bool Submission::spend(const std::vector<adapters::Item>& items) {
    if (again_) {
        return true;
    }
    if (items.size() > 1) {
        intake_.rates.owe(door_.source(), rated_as(), items.size() - 1, started_);
    }
    if (!names_sources(endpoint_)) {
        return true;
    }
    std::map<std::string_view, std::uint64_t> named;
    for (const auto& item : items) {
        ++named[source_named_by(item)];
    }
    std::uint64_t refused = 0;
    Duration longest{};
    for (const auto& [source, n] : named) {
        const auto wait =
            source.empty() ? std::nullopt : intake_.rates.take(source, rated_as(), started_);
        if (wait) {
            too_fast_.emplace(source, *wait);
            refused += n;
            longest = std::max(longest, *wait);
        } else if (!source.empty() && n > 1) {
            intake_.rates.owe(source, rated_as(), n - 1, started_);
        }
    }
    if (refused == 0 || refused < items.size()) {
        return true;
    }
    for (const auto& [source, wait] : too_fast_) {
        note_refused(source, refusal::rate);
    }
    receipt_.again = longest;
    finish_without_items(
        Receipt::Kind::too_fast,
        {ErrorKind::exhausted, "more events have come than this source may send in a second",
         "nothing was stored; send it again after the time in Retry-After"},
        "rate", true);
    return false;
}

bool Submission::is_too_fast(std::size_t index, std::string_view source) {
    if (!too_fast_.contains(source)) {
        return false;
    }
    refuse_item(
        index, refusal::rate,
        {ErrorKind::exhausted,
         "more events have come than the source \"" + shown(source) + "\" may send in a second",
         "send it again in a moment"});
    return true;
}

void Submission::note_refused(std::string_view source, std::string_view reason) const {
    if (!again_) {  // an endpoint's name is bounded, and may be no source
        intake_.refusals.note(
            source == door_.source() ? source : intake_.countable(caller_.tenant, source), reason,
            received_at_);
    }
}

/// Whose bytes are kept whatever they are: those of a cloud, or of a declared sender, that has
/// proved who it is. It would drop for good what is answered 400; direct senders mend it.
bool Submission::keeps_unread() const {
    return sender_.authenticated && (is_cloud(endpoint_) || endpoint_ == Endpoint::declared);
}

/// Whose credential it is; empty: nobody had to show one.
std::string_view Submission::rated_as() const {
    return sender_.authenticated ? std::string_view(caller_.subject) : std::string_view();
}

/// A body that came compressed is what it was before. Signatures are over what was transferred, so
/// they have been looked at by now. False: it has been answered.
bool Submission::decode_body() {
    const auto* coding = request_.header("Content-Encoding");
    if (coding == nullptr || !http::is_gzip(*coding)) {
        return true;  // others have not come this far
    }
    const auto& options = intake_.options;
    const std::size_t bytes_max =
        endpoint_ == Endpoint::ingest ? options.direct_bytes_max : options.body_bytes_max;
    auto decoded = http::gunzip(request_.body, bytes_max);
    if (!decoded) {
        const auto& why = decoded.error();
        if (!why.too_large && keeps_unread()) {  // as it was transferred
            adapters::Rejection kept;
            kept.reason = "not_json";
            kept.detail = why.what;
            kept.errors = {why.what};
            kept.raw = request_.body;
            adapted_.outcome = adapters::NotThisProtocol{why.what, "", std::move(kept)};
            return true;
        }
        finish_without_items(
            why.too_large ? Receipt::Kind::too_large : Receipt::Kind::not_this_protocol,
            {ErrorKind::invalid, why.what, why.too_large ? "send less at once" : "send it whole"},
            why.too_large ? "too_large" : "unreadable", true);
        return false;
    }
    request_.body = *std::move(decoded);
    std::erase_if(request_.headers, [](const auto& header) {
        return http::equal_ignoring_case(header.first, "Content-Encoding");
    });
    return true;
}

}  // namespace helios::gateway
