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
    bool first = false;          ///< of several of its id
    std::unique_ptr<Line> line;  ///< loaded
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
    : workers_(workers),
      tape_(tape),
      ids_(std::move(ids), workers),
      conflicts_(std::move(conflicts), workers) {}

Status OfflineIds::add(const Digest128& identity, std::uint64_t number, const WaitingId& id) {
    key_.assign(bytes_of(identity));
    append_sortable(key_, static_cast<std::int64_t>(number));
    return ids_.add(key_, id.encode());
}

/// From the tape: few events share their id with others.
Status OfflineIds::load(Candidate& one) const {
    HELIOS_TRY_ASSIGN(const auto bytes, tape_.read(one.id.tape_offset));
    const auto event = TapedEvent::of(bytes);
    if (!event) {
        return broken_scratch();
    }
    std::string room;
    HELIOS_TRY_ASSIGN(const auto encoded, tape_.encoded_of(*event, room));
    HELIOS_TRY_ASSIGN(const auto decoded, model::decode_event(encoded));
    HELIOS_TRY_ASSIGN(const auto payload, json::Document::parse(decoded.payload));
    one.line = std::make_unique<Line>();
    Line& line = *one.line;
    line.content = model::content_of(decoded.type, payload.root());
    append_sortable(line.rank, to_nanos(event->at));
    append_sortable(line.rank, to_nanos(decoded.time.value_or(Instant::max())));
    line.rank += bytes_of(sha256_128(encoded));
    line.origin = event->origin;
    line.what = "event " + decoded.id + " from " + decoded.source;
    return {};
}

/// Events that share their ids, as they come: loaded by the workers, many at a time, and compared
/// in their order.
class OfflineIds::Rivals {
public:
    Rivals(OfflineIds& ids, LeftOut& left_out, Settled& settled,
           const std::function<void(const Extracted&)>& counts)
        : ids_(ids),
          left_out_(left_out),
          settled_(settled),
          counts_(counts),
          ahead_(ids.workers_) {}

    Status add(Candidate one) {
        waiting_.push_back(std::move(one));
        return waiting_.size() < at_once ? Status{} : start();
    }
    Status end() {
        HELIOS_TRY(start());
        while (ahead_.size() > 0) {
            HELIOS_TRY(take());
        }
        settle_best();
        return {};
    }

private:
    static constexpr std::size_t at_once = 256;
    static constexpr std::size_t loads_ahead = 4;
    using Loaded = Result<std::vector<Candidate>>;

    Status start() {
        ahead_.start([&ids = ids_, some = std::exchange(waiting_, {})]() mutable -> Loaded {
            for (auto& one : some) {
                HELIOS_TRY(ids.load(one));
            }
            return std::move(some);
        });
        return ahead_.size() <= loads_ahead ? Status{} : take();
    }
    Status take() {
        HELIOS_TRY_ASSIGN(auto some, ahead_.take());
        for (auto& one : some) {
            if (one.first) {
                settle_best();
                best_ = std::move(one);
            } else {
                HELIOS_TRY(compare(std::move(one)));
            }
        }
        return {};
    }
    void settle_best() {
        if (best_) {
            ++settled_.counting;
            counts_(best_->id.extracted);
        }
    }
    Status compare(Candidate other) {
        std::string known_by;
        append_sortable(known_by, static_cast<std::int64_t>(other.number));
        if (other.line->rank < best_->line->rank) {
            std::swap(*best_, other);
        }
        left_out_.add(other.number);
        if (other.line->content == best_->line->content) {
            ++settled_.duplicates;
            return {};
        }
        ByteWriter conflict;
        conflict.string(other.line->origin);
        conflict.string(other.line->what);
        return ids_.conflicts_.add(known_by, conflict.view());
    }

    OfflineIds& ids_;
    LeftOut& left_out_;
    Settled& settled_;
    const std::function<void(const Extracted&)>& counts_;
    std::vector<Candidate> waiting_;
    std::optional<Candidate> best_;  ///< of the id that was compared last
    InOrder<Loaded> ahead_;
};

Result<OfflineIds::Settled> OfflineIds::settle(
    LeftOut& left_out, const std::function<void(const Extracted&)>& counts,
    const std::function<Status(std::uint64_t done)>& each) {
    Settled settled;
    Rivals rivals(*this, left_out, settled, counts);
    std::optional<Candidate> last;
    bool last_shares = false;  // its id with the one before it
    std::string identity;      // of the last one
    const auto pass_on = [&](bool shares_with_next) -> Status {
        if (!last) {
            return {};
        }
        if (last_shares || shares_with_next) {
            last->first = !last_shares;
            return rivals.add(*std::move(last));
        }
        ++settled.counting;
        counts(last->id.extracted);
        return {};
    };
    for (std::uint64_t done = 0;; ++done) {
        HELIOS_TRY(each(done));
        HELIOS_TRY_ASSIGN(const auto* record, ids_.next());
        if (record == nullptr) {
            break;
        }
        const auto of = record->key.substr(0, number_begin);
        const bool shares = last && of == identity;
        HELIOS_TRY(pass_on(shares));
        last.emplace();
        last->number = number_of(record->key);
        last->id = WaitingId::of(record->value);
        last_shares = shares;
        identity = of;
    }
    HELIOS_TRY(pass_on(false));
    HELIOS_TRY(rivals.end());
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
