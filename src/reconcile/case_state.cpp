#include "reconcile/case_state.h"

#include <algorithm>
#include <tuple>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "reconcile/extract.h"
#include "reconcile/history.h"

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

const ReadValue& find_read(const model::LegRecord& record, std::size_t expected_at,
                           std::string_view name) {
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
    out.u8(static_cast<std::uint8_t>(record.event.partition.topic));
    out.varint(record.event.partition.index);
    out.varint(record.event.offset.value);
    out.string(record.identity);
    out.string(record.sequence);
    out.string(record.event_id);
    out.string(record.source);
    out.string(record.type);
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

bool listed(const std::vector<std::string>& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::size_t index_above = 32;

/// Behind the event's place on the log.
ByteReader content_of(std::string_view packed) {
    ByteReader in(packed);
    in.u8();
    in.varint();
    in.varint();
    return in;
}

/// Of two deliveries of one event: the one with the earlier place on the log.
bool stands_before(const HeldEvent& a, const HeldEvent& b) {
    const auto place = [](const HeldEvent& event) {
        ByteReader in(event.packed);
        const auto topic = in.u8();
        const auto partition = in.varint();
        return std::tuple(event.at_ns, topic, partition, in.varint());
    };
    return place(a) < place(b);
}

/// Which parts of an encoded case are there, and its one boolean.
struct Presence {
    bool decided = false;
    bool closed_at = false;
    bool scheduled = false;
    bool put_off = false;
    bool latest = false;  ///< else it is judged_at

    std::uint8_t bits() const {
        return static_cast<std::uint8_t>((decided ? 1 : 0) | (closed_at ? 2 : 0) |
                                         (scheduled ? 4 : 0) | (put_off ? 8 : 0) |
                                         (latest ? 16 : 0));
    }
    static Presence of(std::uint8_t bits) {
        return {(bits & 1u) != 0, (bits & 2u) != 0, (bits & 4u) != 0, (bits & 8u) != 0,
                (bits & 16u) != 0};
    }
};

constexpr std::size_t event_bytes_min = 20;  // of an encoded event

std::uint32_t number(ByteReader& in) {
    const std::uint64_t value = in.varint();
    if (value > std::numeric_limits<std::uint32_t>::max()) {
        in.spoil();
    }
    return static_cast<std::uint32_t>(value);
}

/// The log's times begin with the epoch: whoever reckons with one can't fall off the other end.
Instant log_time(ByteReader& in) {
    const std::int64_t nanos = in.zigzag();
    if (nanos < 0) {
        in.spoil();
        return Instant{};
    }
    return from_nanos(nanos);
}

/// Is that what pack() makes for this leg? Whoever judges relies on it.
bool unpacks(const Leg& leg, std::string_view packed) {
    ByteReader in = content_of(packed);
    for (int texts = 5; texts > 0; --texts) {  // identity, sequence, id, source, type
        in.string();
    }
    if (in.varint() != leg.reads.size() + (leg.status ? 1 : 0)) {
        return false;
    }
    for (std::size_t i = leg.reads.size() + (leg.status ? 1 : 0); i > 0 && in.ok(); --i) {
        if (unpack_read(in).kind > ReadValue::Kind::bad) {
            return false;
        }
    }
    if (in.boolean()) {
        in.string();
    }
    while (in.ok() && !in.at_end()) {
        in.string();
    }
    return in.at_end();
}

void keep_earlier(std::int64_t& held, std::int64_t other, bool& changed) {
    if (other != HeldEvent::no_time && (held == HeldEvent::no_time || other < held)) {
        held = other;
        changed = true;
    }
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

std::string_view HeldEvent::content() const {
    return content_of(packed).rest();
}

std::string_view HeldEvent::identity() const {
    return content_of(packed).string();
}

std::string_view HeldEvent::sequence() const {
    ByteReader in = content_of(packed);
    in.string();
    return in.string();
}

std::optional<Instant> HeldEvent::occurred() const {
    return occurred_ns == no_time ? std::nullopt : std::optional<Instant>(from_nanos(occurred_ns));
}

EventView HeldEvent::view() const {
    EventView view;
    ByteReader in(packed);
    view.at.partition.topic = static_cast<TopicId>(in.u8());
    view.at.partition.index = static_cast<std::uint32_t>(in.varint());
    view.at.offset.value = in.varint();
    view.identity = in.string();
    in.string();  // sequence
    view.event_id = in.string();
    view.source = in.string();
    view.type = in.string();
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
    const std::string word = status_word(status.text);
    if (listed(leg.status->counts, word)) {
        return {true, false};
    }
    if (listed(leg.status->does_not_count, word)) {
        return {false, false};
    }
    return {true, true};
}

HeldEvent* Case::find(const HeldEvent& fresh) {
    const auto same = [&](const HeldEvent& held) {
        return held.content_hash == fresh.content_hash && held.leg == fresh.leg &&
               held.content() == fresh.content();
    };
    if (slots_.empty()) {
        const auto it = std::find_if(events.begin(), events.end(), same);
        return it == events.end() ? nullptr : &*it;
    }
    for (std::size_t slot = fresh.content_hash % slots_.size(); slots_[slot] != 0;
         slot = (slot + 1) % slots_.size()) {
        if (HeldEvent& held = events[slots_[slot] - 1]; same(held)) {
            return &held;
        }
    }
    return nullptr;
}

void Case::index(std::size_t event) {
    ++held_[events[event].leg];
    std::size_t slot = events[event].content_hash % slots_.size();
    while (slots_[slot] != 0) {
        slot = (slot + 1) % slots_.size();
    }
    slots_[slot] = static_cast<std::uint32_t>(event + 1);
}

void Case::index_all() {
    slots_.clear();
    held_.clear();
    if (events.size() <= index_above) {
        return;
    }
    slots_.resize(events.size() * 4);
    held_.resize(flow->legs.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        index(i);
    }
}

bool Case::take(const Leg& leg, std::size_t leg_index, const model::LegRecord& record) {
    if (is_overflowed(leg_index)) {
        return false;
    }
    HeldEvent fresh;
    const StatusVerdict status_verdict =
        judge_status(leg, leg.status ? status_of(leg, record) : ReadValue{});
    fresh.leg = static_cast<std::uint16_t>(leg_index);
    fresh.counts = status_verdict.counts;
    fresh.unknown_status = status_verdict.unknown;
    fresh.occurred_ns = record.occurred ? to_nanos(*record.occurred) : HeldEvent::no_time;
    fresh.event_ns = record.event_time ? to_nanos(*record.event_time) : HeldEvent::no_time;
    fresh.at_ns = to_nanos(record.at);
    fresh.packed = pack(leg, record);
    fresh.content_hash = xxh3_64(fresh.content());

    if (HeldEvent* held = find(fresh)) {
        bool changed = false;
        keep_earlier(held->occurred_ns, fresh.occurred_ns, changed);
        keep_earlier(held->event_ns, fresh.event_ns, changed);
        if (stands_before(fresh, *held)) {  // only where lanes hand deliveries over out of order
            changed = changed || fresh.at_ns != held->at_ns;
            held->at_ns = fresh.at_ns;
            held->packed = std::move(fresh.packed);
        }
        unsettled |= changed ? 1u << leg_index : 0;
        return changed;
    }
    unsettled |= 1u << leg_index;
    const auto of_leg = [&](const HeldEvent& e) { return e.leg == leg_index; };
    const std::size_t held =
        events.size() < leg.events_max ? 0
        : held_.empty()
            ? static_cast<std::size_t>(std::count_if(events.begin(), events.end(), of_leg))
            : held_[leg_index];
    if (held >= leg.events_max) {
        // Whatever is kept would be a part, and which one would depend on the order of arrival.
        overflowed |= 1u << leg_index;
        std::erase_if(events, of_leg);
        events.shrink_to_fit();
        index_all();
        return true;
    }
    events.push_back(std::move(fresh));
    if (events.size() > index_above && events.size() * 2 > slots_.size()) {
        index_all();
    } else if (!slots_.empty()) {
        index(events.size() - 1);
    }
    return true;
}

void Case::settle_legs() {
    for (std::size_t i = 0; unsettled != 0; ++i, unsettled >>= 1) {
        if ((unsettled & 1u) != 0) {
            const std::uint32_t bit = 1u << i;
            satisfied =
                is_overflowed(i) || leg_counts(*this, i) ? satisfied | bit : satisfied & ~bit;
        }
    }
}

std::string Case::encode() const {
    const Presence has{
        .decided = decided,
        .closed_at = closed_at != Instant{},
        .scheduled = scheduled != Instant::max(),
        .put_off = put_off != Instant::max(),
        .latest = latest != judged_at,
    };
    ByteWriter out;
    out.varint(flow->version);
    out.zigzag(to_nanos(opened_at));
    out.varint(instance);
    out.varint(revision);
    out.varint(level);
    out.varint(satisfied);
    out.varint(unsettled);
    out.varint(overflowed);
    out.u8(static_cast<std::uint8_t>(status));
    out.u8(has.bits());
    out.u64(published);
    out.zigzag(to_nanos(judged_at));
    const auto put = [&](bool there, Instant t) {
        if (there) {
            out.zigzag(to_nanos(t));
        }
    };
    put(has.closed_at, closed_at);
    put(has.scheduled, scheduled);
    put(has.put_off, put_off);
    put(has.latest, latest);
    out.varint(events.size());
    for (const HeldEvent& event : events) {
        out.varint(event.leg);
        out.u8(static_cast<std::uint8_t>((event.counts ? 1 : 0) | (event.unknown_status ? 2 : 0)));
        out.u64(static_cast<std::uint64_t>(event.occurred_ns));
        out.u64(static_cast<std::uint64_t>(event.event_ns));
        out.zigzag(event.at_ns);
        out.string(event.packed);
    }
    return out.take();
}

std::uint32_t Case::flow_version_of(std::string_view bytes) {
    ByteReader in(bytes);
    return number(in);
}

Instant Case::opened_at_of(std::string_view bytes) {
    ByteReader in(bytes);
    in.varint();
    return log_time(in);
}

Result<Case> Case::decode(std::string_view bytes, const Flow* flow) {
    ByteReader in(bytes);
    Case c;
    c.flow = flow;
    const std::uint32_t version = number(in);
    c.opened_at = log_time(in);
    c.instance = number(in);
    c.revision = number(in);
    c.level = number(in);
    c.satisfied = number(in);
    c.unsettled = number(in);
    c.overflowed = number(in);
    const std::uint8_t status = in.u8();
    c.status = static_cast<model::VerdictStatus>(status);
    const Presence has = Presence::of(in.u8());
    c.decided = has.decided;
    c.published = in.u64();
    c.judged_at = log_time(in);
    c.closed_at = has.closed_at ? log_time(in) : Instant{};
    c.scheduled = has.scheduled ? log_time(in) : Instant::max();
    c.put_off = has.put_off ? log_time(in) : Instant::max();
    c.latest = has.latest ? log_time(in) : c.judged_at;
    const std::uint64_t of_legs = c.satisfied | c.unsettled | c.overflowed;
    if (version != flow->version || of_legs >> flow->legs.size() != 0 ||
        status > static_cast<std::uint8_t>(model::VerdictStatus::mismatched)) {
        in.spoil();
    }
    const auto count = in.varint();
    c.events.reserve(std::min<std::size_t>(count, in.rest().size() / event_bytes_min));
    for (auto n = count; n > 0 && in.ok(); --n) {
        HeldEvent event;
        event.leg = static_cast<std::uint16_t>(number(in));
        const std::uint8_t flags = in.u8();
        event.counts = (flags & 1u) != 0;
        event.unknown_status = (flags & 2u) != 0;
        event.occurred_ns = static_cast<std::int64_t>(in.u64());
        event.event_ns = static_cast<std::int64_t>(in.u64());
        event.at_ns = to_nanos(log_time(in));
        event.packed = in.string();
        if (event.leg >= flow->legs.size() || !unpacks(flow->legs[event.leg], event.packed)) {
            in.spoil();
            break;
        }
        event.content_hash = xxh3_64(event.content());
        c.events.push_back(std::move(event));
    }
    if (!in.at_end()) {
        return fail(ErrorKind::corrupt, "not a case of flow " + flow->name + " version " +
                                            std::to_string(flow->version));
    }
    c.index_all();
    return c;
}

}  // namespace helios::reconcile
