#include "reconcile/case_state.h"

#include <algorithm>
#include <tuple>

#include "base/assert.h"
#include "base/bytes.h"
#include "reconcile/extract.h"

namespace helios::reconcile {
namespace {

using model::ReadValue;

void pack_read(ByteWriter& out, const ReadValue& value) {
    out.u8(static_cast<std::uint8_t>(value.kind));
    if (value.kind == ReadValue::Kind::items) {
        ByteWriter items;
        for (const auto& [key, quantity] : value.items) {
            items.string(key);
            items.string(quantity);
        }
        out.string(items.view());
    } else if (value.kind != ReadValue::Kind::absent) {
        out.string(value.text);
    }
}

ReadView unpack_read(ByteReader& in) {
    ReadView view;
    view.kind = static_cast<ReadValue::Kind>(in.u8());
    if (view.kind == ReadValue::Kind::items) {
        view.packed_items = in.string();
    } else if (view.kind != ReadValue::Kind::absent) {
        view.text = in.string();
    }
    return view;
}

const ReadValue& find_read(const model::LegRecord& record, std::size_t expected_at, std::string_view name) {
    static const ReadValue absent;
    if (expected_at < record.reads.size() && record.reads[expected_at].first == name) {
        return record.reads[expected_at].second;
    }
    for (const auto& [read, value] : record.reads) {
        if (read == name) {
            return value;
        }
    }
    return absent;
}

const ReadValue& status_of(const Leg& leg, const model::LegRecord& record) {
    return find_read(record, leg.reads.size(), status_read);
}

std::string pack(const Leg& leg, const model::LegRecord& record) {
    ByteWriter out;
    out.string(record.identity);
    out.string(record.event_id);
    out.string(record.source);
    out.string(record.type);
    out.string(record.event.topic);
    out.varint(record.event.partition);
    out.varint(record.event.offset);
    out.varint(leg.reads.size() + (leg.status ? 1 : 0));
    for (std::size_t i = 0; i < leg.reads.size(); ++i) {
        pack_read(out, find_read(record, i, leg.reads[i].name));
    }
    if (leg.status) {
        pack_read(out, status_of(leg, record));
    }
    const ReadValue& identity = find_read(record, record.reads.size(), identity_read);
    out.boolean(identity.kind == ReadValue::Kind::bad);
    if (identity.kind == ReadValue::Kind::bad) {
        out.string(identity.text);
    }
    for (const std::string& doubt : record.doubts) {
        out.string(doubt);
    }
    std::string bytes = out.take();
    bytes.shrink_to_fit();
    return bytes;
}

bool same_content(const ReadView& a, const ReadView& b) {
    if (a.kind != b.kind) {
        return false;
    }
    if (a.kind == ReadValue::Kind::decimal && a.text != b.text) {
        const auto x = Decimal::parse(a.text);
        const auto y = Decimal::parse(b.text);
        return x && y && *x == *y;
    }
    return a.text == b.text && a.packed_items == b.packed_items;
}

/// Bit i: the i-th of the leg's reads differs. Status, times and identity are not content.
std::uint32_t differing(const Leg& leg, const HeldEvent& a, const HeldEvent& b) {
    const EventView x = a.view();
    const EventView y = b.view();
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < leg.reads.size(); ++i) {
        if (!same_content(x.reads[i], y.reads[i])) {
            bits |= 1u << i;
        }
    }
    return bits;
}

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return out;
}

bool listed(const std::vector<std::string>& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

bool decides_over(const HeldEvent& a, const HeldEvent& b) {
    if (a.occurred_ns != b.occurred_ns) {
        return a.occurred_ns > b.occurred_ns;
    }
    const EventView x = a.view();
    const EventView y = b.view();
    if (const auto one = std::pair(x.event_id, x.source), two = std::pair(y.event_id, y.source); one != two) {
        return one > two;
    }
    // Two scopes of one source may use the same id: what they say decides, not who came first.
    return std::lexicographical_compare(
        y.reads.begin(), y.reads.end(), x.reads.begin(), x.reads.end(), [](const ReadView& l, const ReadView& r) {
            return std::tie(l.kind, l.text, l.packed_items) < std::tie(r.kind, r.text, r.packed_items);
        });
}

}  // namespace

std::vector<std::pair<std::string_view, std::string_view>> ReadView::items() const {
    std::vector<std::pair<std::string_view, std::string_view>> out;
    ByteReader in(packed_items);
    while (in.ok() && !in.at_end()) {
        const auto key = in.string();
        out.emplace_back(key, in.string());
    }
    return out;
}

std::string_view HeldEvent::identity() const {
    ByteReader in(packed);
    return in.string();
}

std::optional<Instant> HeldEvent::occurred() const {
    return occurred_ns == no_time ? std::nullopt : std::optional<Instant>(from_nanos(occurred_ns));
}

EventView HeldEvent::view() const {
    EventView view;
    ByteReader in(packed);
    view.identity = in.string();
    view.event_id = in.string();
    view.source = in.string();
    view.type = in.string();
    view.topic = in.string();
    view.partition = static_cast<std::uint32_t>(in.varint());
    view.offset = in.varint();
    const auto reads = in.varint();
    view.reads.reserve(reads);
    for (std::uint64_t i = 0; i < reads && in.ok(); ++i) {
        view.reads.push_back(unpack_read(in));
    }
    if (in.boolean()) {
        view.unreadable.push_back(in.string());
    }
    while (in.ok() && !in.at_end()) {
        view.doubts.push_back(in.string());
    }
    HELIOS_ASSERT(in.ok(), "a packed event unpacks");
    return view;
}

StatusVerdict judge_status(const Leg& leg, const ReadValue& status) {
    if (!leg.status || status.kind == ReadValue::Kind::absent) {
        return {true, false};
    }
    if (status.kind == ReadValue::Kind::bad) {
        return {true, false};  // already bad data by itself
    }
    const std::string word = upper(status.text);
    if (listed(leg.status->counts, word)) {
        return {true, false};
    }
    if (listed(leg.status->does_not_count, word)) {
        return {false, false};
    }
    return {true, true};
}

std::optional<Instant> Case::late_at(std::size_t leg) const {
    for (const auto& [index, at] : late) {
        if (index == leg) {
            return from_nanos(at);
        }
    }
    return std::nullopt;
}

bool Case::take(const Leg& leg, std::size_t leg_index, const model::LegRecord& record, std::size_t identities_max) {
    HeldEvent fresh;
    const StatusVerdict status_verdict = judge_status(leg, leg.status ? status_of(leg, record) : ReadValue{});
    fresh.leg = static_cast<std::uint16_t>(leg_index);
    fresh.counts = status_verdict.counts;
    fresh.unknown_status = status_verdict.unknown;
    fresh.timed = record.occurred || record.event_time;
    fresh.occurred_ns = record.occurred ? to_nanos(*record.occurred) : HeldEvent::no_time;
    fresh.at_ns = to_nanos(record.at);
    fresh.packed = pack(leg, record);

    std::size_t identities = 0;
    HeldEvent* greatest = nullptr;
    for (HeldEvent& held : events) {
        if (held.leg != leg_index) {
            continue;
        }
        ++identities;
        greatest = greatest == nullptr || greatest->identity() < held.identity() ? &held : greatest;
        if (held.identity() != record.identity) {
            continue;
        }
        const std::uint32_t differs = held.differs | differing(leg, held, fresh);
        const bool replaces = decides_over(fresh, held);
        const bool changed = replaces || differs != held.differs;
        if (replaces) {
            held = std::move(fresh);
        }
        held.differs = differs;
        return changed;
    }
    if (identities >= identities_max) {
        // Which are kept must not depend on the order of arrival: the least ones by name.
        const std::uint32_t before = overflowed;
        overflowed |= 1u << leg_index;
        if (greatest != nullptr && record.identity < greatest->identity()) {
            *greatest = std::move(fresh);
            return true;
        }
        return overflowed != before;
    }
    events.push_back(std::move(fresh));
    return true;
}

void Case::settle_leg(std::size_t leg_index, Instant at, bool deadline_passed) {
    const bool counts =
        std::any_of(events.begin(), events.end(), [&](const HeldEvent& e) { return e.leg == leg_index && e.counts; });
    const bool counted = is_satisfied(leg_index);
    if (counts == counted) {
        return;
    }
    satisfied ^= 1u << leg_index;
    std::erase_if(late, [&](const auto& entry) { return entry.first == leg_index; });
    if (counts && deadline_passed) {
        late.emplace_back(static_cast<std::uint16_t>(leg_index), to_nanos(at));
    }
}

std::string Case::encode() const {
    ByteWriter out;
    out.varint(flow->version);
    out.varint(instance);
    out.varint(revision);
    out.varint(satisfied);
    out.varint(overflowed);
    out.u8(static_cast<std::uint8_t>(status));
    out.boolean(decided);
    out.u64(published);
    out.zigzag(to_nanos(opened_at));
    out.zigzag(to_nanos(closed_at));
    out.varint(events.size());
    for (const HeldEvent& event : events) {
        out.varint(event.leg);
        out.u8(static_cast<std::uint8_t>((event.counts ? 1 : 0) | (event.unknown_status ? 2 : 0) | (event.timed ? 4 : 0)));
        out.varint(event.differs);
        out.u64(static_cast<std::uint64_t>(event.occurred_ns));
        out.zigzag(event.at_ns);
        out.string(event.packed);
    }
    out.varint(late.size());
    for (const auto& [leg, at] : late) {
        out.varint(leg);
        out.zigzag(at);
    }
    return out.take();
}

std::uint32_t Case::flow_version_of(std::string_view bytes) {
    ByteReader in(bytes);
    return static_cast<std::uint32_t>(in.varint());
}

Case Case::decode(std::string_view bytes, const Flow* flow) {
    ByteReader in(bytes);
    Case c;
    c.flow = flow;
    HELIOS_ASSERT(in.varint() == flow->version, "a closed case is read with its own flow version");
    c.instance = static_cast<std::uint32_t>(in.varint());
    c.revision = static_cast<std::uint32_t>(in.varint());
    c.satisfied = static_cast<std::uint32_t>(in.varint());
    c.overflowed = static_cast<std::uint32_t>(in.varint());
    c.status = static_cast<model::VerdictStatus>(in.u8());
    c.decided = in.boolean();
    c.published = in.u64();
    c.opened_at = from_nanos(in.zigzag());
    c.closed_at = from_nanos(in.zigzag());
    for (auto n = in.varint(); n > 0 && in.ok(); --n) {
        HeldEvent event;
        event.leg = static_cast<std::uint16_t>(in.varint());
        const std::uint8_t flags = in.u8();
        event.counts = (flags & 1u) != 0;
        event.unknown_status = (flags & 2u) != 0;
        event.timed = (flags & 4u) != 0;
        event.differs = static_cast<std::uint32_t>(in.varint());
        event.occurred_ns = static_cast<std::int64_t>(in.u64());
        event.at_ns = in.zigzag();
        event.packed = in.string();
        c.events.push_back(std::move(event));
    }
    for (auto n = in.varint(); n > 0 && in.ok(); --n) {
        const auto leg = static_cast<std::uint16_t>(in.varint());
        c.late.emplace_back(leg, in.zigzag());
    }
    HELIOS_ASSERT(in.at_end(), "a closed case decodes to its end");
    return c;
}

}  // namespace helios::reconcile
