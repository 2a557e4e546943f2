#include "reconcile/offline_batch.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/bytes.h"
#include "model/position.h"
#include "reconcile/offline_tape.h"
#include "reconcile/sorter.h"

namespace helios::reconcile {
namespace {

std::string_view bytes_of(const Digest128& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// When a leg happened, for an input that doesn't say when it was received.
std::optional<Instant> time_of(const model::LegRecord& leg) {
    return leg.event_time ? leg.event_time : leg.occurred;
}

}  // namespace

void append_order_of(std::string& out, const model::Event& event, std::string_view position,
                     std::string_view encoded) {
    if (position.empty()) {
        append_sortable(out, to_nanos(event.time.value_or(Instant::max())));
        for (const auto* part : {&event.source, &event.scope, &event.id}) {
            out += *part;
            out += '\0';
        }
        return;  // of one id one event counts
    }
    if (const auto token = model::decode_position(position)) {
        append_sortable(out, model::rank_of(token->pointer.partition.topic));
        append_sortable(out, token->pointer.partition.index);
        append_sortable(out, static_cast<std::int64_t>(token->pointer.offset.value));
    } else {
        out += position;
        out += '\0';
    }
    out += bytes_of(sha256_128(encoded));
}

WaitingLeg WaitingLeg::of(std::string_view value) {
    ByteReader in(value);
    WaitingLeg leg;
    leg.same = in.varint();
    leg.encoded = in.rest();
    return leg;
}

/// Tenant, flow and key; none of them has a NUL.
std::size_t case_id_size(std::string_view key) {
    std::size_t at = 0;
    for (int parts = 3; parts > 0; --parts) {
        at = key.find('\0', at) + 1;
    }
    return at;
}

void set_leg_number(char* end_of_key, std::uint64_t number) {
    const std::uint64_t bits = __builtin_bswap64(number);
    std::memcpy(end_of_key - leg_number_bytes, &bits, sizeof bits);
}

std::uint64_t leg_number(std::string_view key) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, key.data() + key.size() - leg_number_bytes, sizeof bits);
    return __builtin_bswap64(bits);
}

/// Without receive times legs of one source, id, scope and name are one: the last counts.
Status LegWriter::write(std::vector<model::LegRecord>&& legs, const model::Event& event,
                        const EventPlace& place, const std::optional<Instant>& as_of,
                        Extracted& extracted, const LegSink& sink) {
    std::uint16_t ordinal = 0;
    for (auto& leg : legs) {
        key_.assign(model::case_log_key(leg.tenant, leg.flow, leg.key));
        key_ += '\0';
        std::size_t same = 0;
        if (place.received) {
            append_sortable(key_, to_nanos(place.at));
        } else {
            const auto time = time_of(leg);
            if (as_of && time && *time > *as_of) {
                extracted.later = extracted.later.value_or(*time);
                continue;
            }
            if (!leg.opens) {
                continue;
            }
            append_sortable(key_,
                            time ? to_nanos(*time) : std::numeric_limits<std::int64_t>::min());
            for (const auto* part : {&event.source, &event.id, &event.scope}) {
                key_ += *part;
                key_ += '\0';
            }
            key_ += leg.leg;
            same = key_.size();
            key_ += '\0';
        }
        extracted.has_legs = true;
        key_ += place.order;
        key_.append(leg_number_bytes, '\0');
        set_leg_number(key_.data() + key_.size(), place.number);
        key_[key_.size() - 2] = static_cast<char>(ordinal >> 8);
        key_[key_.size() - 1] = static_cast<char>(ordinal & 0xff);
        ++ordinal;
        ByteWriter head;
        head.varint(same);
        value_ = head.view();
        value_ += model::encode(model::CaseRecord(std::move(leg)));
        HELIOS_TRY(sink(key_, value_));
    }
    return {};
}

/// An event on the tape is about as long as its line, and so are its legs with their keys.
OfflineBatch::OfflineBatch(std::shared_ptr<const OfflineRules> rules, std::size_t line_bytes)
    : state_(std::make_unique<State>()) {
    state_->rules = std::move(rules);
    state_->bytes.reserve(line_bytes * 5 / 2);
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
    const std::string encoded = model::encode(line.event);
    item.first_leg = s.legs.size();
    if (s.rules->settled) {
        if (item.received && s.rules->as_of && item.at > *s.rules->as_of) {
            item.extracted.later = item.at;
        } else {
            EventPlace place{.number = 0, .received = item.received, .at = item.at, .order = {}};
            if (item.received || item.positioned) {
                append_order_of(place.order, line.event, line.position, encoded);
            }
            auto legs = s.rules->router.legs_of(line.event, line.payload, {{}, item.at},
                                                item.extracted.keyless);
            item.extracted.unwanted = legs.empty() && item.extracted.keyless == 0;
            const auto keep = [&s](std::string_view key, std::string_view value) -> Status {
                s.legs.push_back({s.bytes.size(), key.size(), value.size()});
                s.bytes.append(key).append(value);
                return {};
            };
            static_cast<void>(s.writer.write(std::move(legs), line.event, place, s.rules->as_of,
                                             item.extracted, keep));
        }
    }
    item.legs = s.legs.size() - item.first_leg;
    item.taped = s.bytes.size();
    TapedEvent{item.at, item.extracted.has_legs, line.position, line.origin, encoded}.append_to(
        s.bytes);
    item.taped_size = s.bytes.size() - item.taped;
    s.items.push_back(std::move(item));
}

}  // namespace helios::reconcile
