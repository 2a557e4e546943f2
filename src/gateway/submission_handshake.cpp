/// What a submission does with a handshake of Event Grid.

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
             {"hint", "helios source confirm"}});
    } else {
        intake_.telemetry.logger.error(
            room, "a handshake of Event Grid can't be confirmed from here",
            {{"topic", handshake.topic}, {"error", kept.error().message()}});
    }
    finish_without_items(Receipt::Kind::handshake, {}, kept ? "handshake_waits" : "handshake_bad",
                         false);
}

}  // namespace helios::gateway
