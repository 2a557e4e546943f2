#include "reconcile/offline_ids.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/json.h"
#include "model/event.h"

namespace helios::reconcile {
namespace {

std::string_view bytes_of(const Digest128& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// A sorter's key: the identity, then the number.
constexpr std::size_t number_begin = sizeof(Digest128);

std::uint64_t number_of(std::string_view key) {
    return static_cast<std::uint64_t>(read_sortable(key.substr(number_begin)));
}

}  // namespace

std::string WaitingId::encode() const {
    ByteWriter out;
    out.varint(tape_offset);
    out.varint(extracted.keyless);
    out.u8(static_cast<std::uint8_t>((extracted.unwanted ? 1 : 0) | (extracted.has_legs ? 2 : 0) |
                                     (extracted.later ? 4 : 0)));
    if (extracted.later) {
        out.zigzag(to_nanos(*extracted.later));
    }
    return out.take();
}

WaitingId WaitingId::of(std::string_view bytes) {
    ByteReader in(bytes);
    WaitingId id;
    id.tape_offset = in.varint();
    id.extracted.keyless = in.varint();
    const auto flags = in.u8();
    id.extracted.unwanted = (flags & 1u) != 0;
    id.extracted.has_legs = (flags & 2u) != 0;
    if ((flags & 4u) != 0) {
        id.extracted.later = from_nanos(in.zigzag());
    }
    return id;
}

/// An event that may count.
struct OfflineIds::Candidate {
    std::uint64_t number = 0;
    WaitingId id;
    std::unique_ptr<Line> line;  ///< where there are several of its id
};

/// What is on the tape of it.
struct OfflineIds::Line {
    Digest128 content{};
    std::string rank;  ///< the least counts
    std::string origin;
    std::string what;  ///< "event ID from SOURCE"
};

OfflineIds::OfflineIds(SorterOptions ids, SorterOptions conflicts, Workers& workers,
                       const Tape& tape)
    : tape_(tape), ids_(std::move(ids), workers), conflicts_(std::move(conflicts), workers) {}

Status OfflineIds::add(const Digest128& identity, std::uint64_t number, const WaitingId& id) {
    std::string key;
    key.reserve(number_begin + sizeof number);
    key += bytes_of(identity);
    append_sortable(key, static_cast<std::int64_t>(number));
    return ids_.add(key, id.encode());
}

/// From the tape: few events share their id with others.
Status OfflineIds::load(Candidate& one) const {
    if (one.line) {
        return {};
    }
    HELIOS_TRY_ASSIGN(const auto bytes, tape_.read(one.id.tape_offset));
    const auto event = TapedEvent::of(bytes);
    if (!event) {
        return broken_scratch();
    }
    HELIOS_TRY_ASSIGN(const auto decoded, model::decode_event(event->encoded));
    HELIOS_TRY_ASSIGN(const auto payload, json::Document::parse(decoded.payload));
    one.line = std::make_unique<Line>();
    Line& line = *one.line;
    line.content = model::content_of(decoded.type, payload.root());
    append_sortable(line.rank, to_nanos(event->at));
    append_sortable(line.rank, to_nanos(decoded.time.value_or(Instant::max())));
    line.rank += bytes_of(sha256_128(event->encoded));
    line.origin = event->origin;
    line.what = "event " + decoded.id + " from " + decoded.source;
    return {};
}

Status OfflineIds::compare(Candidate& best, Candidate other, LeftOut& left_out, Settled& settled) {
    HELIOS_TRY(load(best));
    HELIOS_TRY(load(other));
    std::string known_by;
    append_sortable(known_by, static_cast<std::int64_t>(other.number));
    if (other.line->rank < best.line->rank) {
        std::swap(best, other);
    }
    left_out.add(other.number);
    if (other.line->content == best.line->content) {
        ++settled.duplicates;
        return {};
    }
    ByteWriter conflict;
    conflict.string(other.line->origin);
    conflict.string(other.line->what);
    return conflicts_.add(known_by, conflict.view());
}

Result<OfflineIds::Settled> OfflineIds::settle(
    LeftOut& left_out, const std::function<void(const Extracted&)>& counts,
    const std::function<Status(std::uint64_t done)>& each) {
    Settled settled;
    std::optional<Candidate> best;
    std::string identity;
    const auto settle_best = [&] {
        if (best) {
            ++settled.counting;
            counts(best->id.extracted);
        }
    };
    for (std::uint64_t done = 0;; ++done) {
        HELIOS_TRY(each(done));
        HELIOS_TRY_ASSIGN(const auto* record, ids_.next());
        if (record == nullptr) {
            break;
        }
        const auto of = record->key.substr(0, number_begin);
        Candidate one;
        one.number = number_of(record->key);
        one.id = WaitingId::of(record->value);
        if (best && of == identity) {
            HELIOS_TRY(compare(*best, std::move(one), left_out, settled));
            continue;
        }
        settle_best();
        best = std::move(one);
        identity = of;
    }
    settle_best();
    return settled;
}

Status OfflineIds::visit_conflicts(
    const std::function<void(std::string_view origin, std::string_view why)>& visit) {
    for (;;) {
        HELIOS_TRY_ASSIGN(const auto* record, conflicts_.next());
        if (record == nullptr) {
            return {};
        }
        ByteReader in(record->value);
        const auto origin = in.string();
        const Error error{ErrorKind::conflict,
                          std::string(in.string()) + " stands on another line with other content",
                          "the other one counts, received or happened first, whatever the order of "
                          "lines; give one of them an id of its own"};
        visit(origin, error.message());
    }
}

}  // namespace helios::reconcile
