#include "reconcile/offline_batch.h"

#include "reconcile/offline_tape.h"

namespace helios::reconcile {
/// An event's legs with their keys are about as long as its line, and so is it on the tape, if it
/// must be kept there.
OfflineBatch::OfflineBatch(std::shared_ptr<const OfflineRules> rules, std::size_t line_bytes)
    : state_(std::make_unique<State>()) {
    state_->rules = std::move(rules);
    constexpr std::size_t usual_line_bytes = 200;
    state_->bytes.reserve(line_bytes * 5 / 2);
    state_->items.reserve(line_bytes / usual_line_bytes);
    state_->legs.reserve(line_bytes / usual_line_bytes);
}
OfflineBatch::~OfflineBatch() = default;
OfflineBatch::OfflineBatch(OfflineBatch&&) noexcept = default;
OfflineBatch& OfflineBatch::operator=(OfflineBatch&&) noexcept = default;

std::size_t OfflineBatch::size() const {
    return state_->items.size();
}

/// The number of an event is not known yet: take() writes it into the keys.
void OfflineBatch::prepare(const OfflineEvent& line) {
    State& s = *state_;
    State::Item item;
    item.received = line.received_at.has_value();
    item.positioned = !line.position.empty();
    item.at = line.received_at.value_or(Instant{});
    if (!item.positioned) {
        item.identity = model::identity_of(line.event);
    }
    const bool ordered = item.received || item.positioned;
    const std::string encoded =
        ordered || !line.readable_again ? model::encode(line.event) : std::string();
    item.first_leg = s.legs.size();
    if (s.rules->settled) {
        if (item.received && s.rules->as_of && item.at > *s.rules->as_of) {
            item.extracted.later = item.at;
        } else {
            EventPlace place{.number = 0, .received = item.received, .at = item.at, .order = {}};
            if (ordered) {
                append_order_of(place.order, line.event, line.position, encoded);
            }
            const auto legs = s.rules->router.legs_of(line.event, line.payload, {{}, item.at},
                                                      item.extracted.keyless);
            item.extracted.unwanted = legs.empty() && item.extracted.keyless == 0;
            const auto keep = [&s](std::string_view key, std::string_view value) -> Status {
                s.legs.push_back({s.bytes.size(), key.size(), value.size()});
                s.bytes.append(key).append(value);
                return {};
            };
            static_cast<void>(
                s.writer.write(legs, line.event, place, s.rules->as_of, item.extracted, keep));
        }
    }
    item.legs = s.legs.size() - item.first_leg;
    item.taped = s.bytes.size();
    TapedEvent{.at = item.at,
               .has_legs = item.extracted.has_legs,
               .elsewhere = line.readable_again,
               .position = line.position,
               .origin = line.origin,
               .encoded = line.readable_again ? std::string_view() : encoded}
        .append_to(s.bytes);
    item.taped_size = s.bytes.size() - item.taped;
    s.items.push_back(std::move(item));
}

}  // namespace helios::reconcile
