/// What a submission does with a handshake of Event Grid, and with topics that are not listed.

#include "base/shown.h"
#include "gateway/submission.h"

namespace helios::gateway {

void Submission::take_handshake(adapters::ValidationHandshake& handshake) {
    constexpr std::string_view room = "gateway";
    const auto& senders = intake_.options.senders;
    if (senders.azure.answers_handshake(handshake.topic)) {
        receipt_.body = std::move(handshake.response_body);
        intake_.telemetry.logger.info(room, "Event Grid subscription validated",
                                      {{"topic", handshake.topic}});
        return finish_without_items(Receipt::Kind::handshake, {}, "handshake", false);
    }
    // 200 without the code: Event Grid then waits for somebody to visit the URL.
    const auto kept = intake_.handshakes->keep(handshake, received_at_, senders.test_hosts);
    if (kept) {
        intake_.telemetry.logger.warn(
            room, "Event Grid asks whether a subscription is wanted: a person has to confirm it",
            {{"topic", handshake.topic},
             {"id", kept->id},
             {"until", format_rfc3339(kept->until)},
             {"why", senders.azure.handshake == HandshakeMode::manual
                         ? "sources.azure.handshake is manual"
                         : "its topic is not in sources.azure.topics"},
             {"hint", senders.azure.takes_topic(handshake.topic)
                          ? "helios source confirm"
                          : "list its topic, whose events are refused until then; helios source "
                            "confirm"}});
    } else {
        intake_.telemetry.logger.error(
            room, "a handshake of Event Grid can't be confirmed from here",
            {{"topic", handshake.topic}, {"error", kept.error().message()}});
    }
    finish_without_items(Receipt::Kind::handshake, {}, kept ? "handshake_waits" : "handshake_bad",
                         false);
}

/// Of Event Grid's events: whether `sources.azure.topics` has theirs. Custom schemas have none, so
/// their credential alone says; what can't be read is kept whole.
bool Submission::is_of_listed_topic(std::string_view topic, bool is_event) const {
    const auto& options = intake_.options;
    if (endpoint_ != Endpoint::azure_eventgrid || again_ || door_.fetched ||
        options.senders.azure.takes_topic(topic)) {
        return true;
    }
    const bool nobody = options.senders.azure.topics->empty();
    return topic.empty() && !nobody && (!is_event || intake_.azure.custom);
}

/// Event Grid comes again, so the topic may still be listed.
void Submission::refuse_topic(std::size_t index, std::string_view topic) {
    auto text = "the topic \"" + shown(topic) + "\" is not in sources.azure.topics";
    if (intake_.checks != nullptr) {  // which counts and says it
        intake_.checks->note_refused(door_.source(),
                                     auth::Proof::refused(auth::Refusal::topic, text));
    }
    refuse_item(index, intake_.checks == nullptr ? refusal::topic : std::string_view(),
                {ErrorKind::denied, std::move(text),
                 "nothing was stored of it; list it, and it is taken when it comes again"});
}

}  // namespace helios::gateway
