#include "reconcile/offline_leg.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "model/position.h"
#include "reconcile/sorter.h"

namespace helios::reconcile {
namespace {

using model::LegRecord;
using model::ReadValue;

/// What a value has beside what is always there.
enum Has : std::uint8_t {
    opens = 1,
    event_time = 2,
    occurred = 4,
    both_times_alike = 8,
    identity_of_its_own = 16,  ///< else the case's key is
    origin = 32,               ///< else source, id and name of the leg stand in the key
    rarities = 64,             ///< a sequence, doubts, a trace
};

void write_time(ByteWriter& out, Instant t) {
    std::string bytes;
    append_sortable(bytes, to_nanos(t));
    out.raw(bytes);
}

Instant read_time(ByteReader& in) {
    return from_nanos(read_sortable(in.raw(sizeof(std::int64_t))));
}

/// When a leg happened, for an input that doesn't say when it was received.
std::optional<Instant> time_of(const LegRecord& leg) {
    return leg.event_time ? leg.event_time : leg.occurred;
}

void read_reads(ByteReader& in, LegRecord& leg) {
    const auto count = in.varint();
    leg.reads.resize(std::min<std::uint64_t>(count, in.rest().size()));
    for (auto& [name, value] : leg.reads) {
        name = in.string();
        value.kind = static_cast<ReadValue::Kind>(in.u8());
        value.text = in.string();
        value.path.clear();
        value.items.resize(
            value.kind == ReadValue::Kind::items
                ? std::min<std::size_t>(static_cast<std::size_t>(in.varint()), in.rest().size())
                : 0);
        for (auto& [key, amount] : value.items) {
            key = in.string();
            amount = in.string();
        }
    }
}

void read_rarities(ByteReader& in, LegRecord& leg) {
    leg.sequence = in.string();
    for (auto n = in.varint(); n > 0 && in.ok(); --n) {
        leg.doubts.emplace_back(in.string());
    }
    const auto trace = in.raw(leg.trace.bytes.size());
    std::copy(trace.begin(), trace.end(), leg.trace.bytes.begin());
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
    const auto digest = sha256_128(encoded);
    out.append(reinterpret_cast<const char*>(digest.data()), digest.size());
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

/// Tenant, flow and key; none of them has a NUL.
std::size_t case_id_size(std::string_view key) {
    std::size_t at = 0;
    for (int parts = 3; parts > 0; --parts) {
        at = key.find('\0', at) + 1;
    }
    return at;
}

std::size_t same_leg_size(std::string_view value) {
    return static_cast<std::size_t>(ByteReader(value).varint());
}

/// Without receive times legs of one source, id, scope and name are one: the last counts.
Status LegWriter::write(std::span<const LegRecord> legs, const model::Event& event,
                        const EventPlace& place, const std::optional<Instant>& as_of,
                        Extracted& extracted, const LegSink& sink) {
    std::uint16_t ordinal = 0;
    for (const auto& leg : legs) {
        key_.clear();
        for (const auto* part : {&leg.tenant.text(), &leg.flow, &leg.key}) {
            key_ += *part;
            key_ += '\0';
        }
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
        write_value(leg, event, same);
        HELIOS_TRY(sink(key_, value_));
    }
    return {};
}

/// `same`: 0 with receive times; else the key has source, id and name, and the first of its times.
void LegWriter::write_value(const LegRecord& leg, const model::Event& event, std::size_t same) {
    const bool in_key = same > 0;
    const bool own_identity = leg.identity != leg.key;
    const bool alike = leg.event_time && leg.occurred == leg.event_time;
    const bool rare = !leg.sequence.empty() || !leg.doubts.empty() || leg.trace;
    value_.clear();
    ByteWriter out(std::move(value_));
    out.varint(same);
    out.u8(static_cast<std::uint8_t>(
        (leg.opens ? Has::opens : 0) | (leg.event_time ? Has::event_time : 0) |
        (leg.occurred ? Has::occurred : 0) | (alike ? Has::both_times_alike : 0) |
        (own_identity ? Has::identity_of_its_own : 0) | (in_key ? 0 : Has::origin) |
        (rare ? Has::rarities : 0)));
    out.varint(leg.flow_version);
    if (in_key) {
        out.varint(event.source.size());
        out.varint(event.id.size());
        out.varint(event.scope.size());
    } else {
        out.string(leg.source);
        out.string(leg.event_id);
        out.string(leg.leg);
        if (leg.event_time) {
            write_time(out, *leg.event_time);
        }
    }
    if (leg.occurred && !alike && (leg.event_time || !in_key)) {
        write_time(out, *leg.occurred);
    }
    if (own_identity) {
        out.string(leg.identity);
    }
    out.string(leg.type);
    out.varint(leg.reads.size());
    for (const auto& [name, value] : leg.reads) {
        out.string(name);
        out.u8(static_cast<std::uint8_t>(value.kind));
        out.string(value.text);
        if (value.kind == ReadValue::Kind::items) {
            out.varint(value.items.size());
            for (const auto& [key, amount] : value.items) {
                out.string(key);
                out.string(amount);
            }
        }
    }
    if (rare) {
        out.string(leg.sequence);
        out.varint(leg.doubts.size());
        for (const auto& doubt : leg.doubts) {
            out.string(doubt);
        }
        out.raw({reinterpret_cast<const char*>(leg.trace.bytes.data()), leg.trace.bytes.size()});
    }
    value_ = out.take();
}

bool read_leg(std::string_view key, std::string_view value, LegRecord& leg) {
    const auto flow = key.find('\0') + 1;
    const auto name = key.find('\0', flow) + 1;
    const auto rest = key.find('\0', name) + 1;
    if (flow == 0 || name == 0 || rest == 0) {
        return false;
    }
    if (const auto tenant = key.substr(0, flow - 1); leg.tenant.text() != tenant) {
        auto parsed = TenantId::parse(tenant);
        if (!parsed) {
            return false;
        }
        leg.tenant = *std::move(parsed);
    }
    leg.flow = key.substr(flow, name - flow - 1);
    leg.key = key.substr(name, rest - name - 1);
    leg.notes.clear();
    leg.doubts.clear();
    leg.unknown.clear();
    leg.sequence.clear();
    leg.trace = {};
    leg.event = {};
    leg.event_time = leg.occurred = std::nullopt;
    ByteReader in(value);
    const auto same = static_cast<std::size_t>(in.varint());
    const auto has = in.u8();
    leg.opens = (has & Has::opens) != 0;
    leg.flow_version = static_cast<std::uint32_t>(in.varint());
    ByteReader from_key(key.substr(rest, std::max(same, rest) - rest));
    if ((has & Has::origin) != 0) {
        leg.source = in.string();
        leg.event_id = in.string();
        leg.leg = in.string();
        ByteReader received(key.substr(rest));
        leg.at = read_time(received);
        leg.passed = leg.at;
        if (!received.ok()) {
            return false;
        }
        if ((has & Has::event_time) != 0) {
            leg.event_time = read_time(in);
        }
    } else {
        const auto source = static_cast<std::size_t>(in.varint());
        const auto id = static_cast<std::size_t>(in.varint());
        const auto scope = static_cast<std::size_t>(in.varint());
        const Instant time = read_time(from_key);
        leg.source = from_key.raw(source);
        from_key.raw(1);
        leg.event_id = from_key.raw(id);
        from_key.raw(scope + 2);
        leg.leg = from_key.rest();
        if ((has & Has::event_time) != 0) {
            leg.event_time = time;
        } else if ((has & Has::occurred) != 0) {
            leg.occurred = time;
        }
    }
    if ((has & Has::both_times_alike) != 0) {
        leg.occurred = leg.event_time;
    } else if ((has & Has::occurred) != 0 && !leg.occurred) {
        leg.occurred = read_time(in);
    }
    if ((has & Has::identity_of_its_own) != 0) {
        leg.identity = in.string();
    } else {
        leg.identity = leg.key;
    }
    leg.type = in.string();
    read_reads(in, leg);
    if ((has & Has::rarities) != 0) {
        read_rarities(in, leg);
    }
    return in.at_end() && from_key.ok();
}

}  // namespace helios::reconcile
