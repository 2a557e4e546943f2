#include "reconcile/engine.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "log/state.h"
#include "reconcile/engine_state.h"

namespace helios::reconcile {
namespace {

using model::Verdict;
using model::VerdictStatus;

constexpr std::size_t no_bound = std::numeric_limits<std::size_t>::max();
constexpr Instant no_deadline = never;  // in the queue of deadlines: not there

// A partition's state says how many cases are open; it is believed up to here.
constexpr std::uint64_t open_cases_reserved_max = 16'000'000;

// Of a case with more events than this, judging is put off by so much for each of them: 0.5 s at
// 1,000 events, 50 s at 100,000.
constexpr std::size_t judged_at_once_max = 256;
constexpr Duration judged_every = std::chrono::microseconds(500);

/// What a person would see change: status, findings, a decided case's events and amounts. While
/// pending nothing but the status.
std::uint64_t digest_of(const Judgement& judgement) {
    ByteWriter out;
    out.u8(static_cast<std::uint8_t>(judgement.status));
    if (judgement.status != VerdictStatus::pending) {
        for (const auto& leg : judgement.missing) {
            out.string(leg);
        }
        out.varint(judgement.findings.size());
        for (const auto& f : judgement.findings) {
            out.u8(static_cast<std::uint8_t>(f.kind));
            for (const std::string* text :
                 {&f.leg, &f.check, &f.expected, &f.actual, &f.tolerance, &f.unit, &f.detail}) {
                out.string(*text);
            }
            out.u8(static_cast<std::uint8_t>(f.severity));
            out.boolean(f.final);
        }
        for (const auto& e : judgement.events) {
            out.string(e.leg);
            out.string(e.event_id);
            out.string(e.source);
            out.string(e.type);
        }
        out.varint(judgement.unlisted.size());
        for (const auto& [leg, count] : judgement.unlisted) {
            out.string(leg);
            out.varint(count);
        }
        for (const auto& money : judgement.at_risk) {
            out.string(money.currency);
            out.string(money.amount);
        }
    }
    return xxh3_64(out.view());
}

/// The first of them that is not before `t`; `never` if only such are left that never come.
std::optional<Instant> earliest_from(const std::vector<Instant>& deadlines, Instant t) {
    std::optional<Instant> next;
    for (const Instant deadline : deadlines) {
        if (deadline >= t && (!next || deadline < *next)) {
            next = deadline;
        }
    }
    return next;
}

/// A leg belongs to the newest instance if it came by then, matched before or not. Where some leg
/// may come whenever it likes, there is no last deadline: then it counts from the closing.
Instant amend_until(const Flow& flow, const std::vector<Instant>& deadlines, Instant closed_at) {
    const Instant last = *std::max_element(deadlines.begin(), deadlines.end());
    return later(last == never ? closed_at : last, flow.amend_for);
}

struct IdParts {
    std::string_view tenant;
    std::string_view flow;
    std::string_view key;
};

IdParts parts_of(std::string_view id) {
    const auto first = id.find('\0');
    const auto second = id.find('\0', first + 1);
    return {id.substr(0, first), id.substr(first + 1, second - first - 1), id.substr(second + 1)};
}

}  // namespace

Engine::Engine(ClosedCases& closed, Keys keys) : keys_(keys), closed_(closed) {}
Engine::~Engine() = default;

std::vector<Revision> Engine::on_record(const model::CaseRecord& record) {
    std::vector<Revision> out;
    on_record(record, out);
    return out;
}

void Engine::on_record(const model::CaseRecord& record, std::vector<Revision>& out) {
    if (const auto* absence = std::get_if<model::AbsenceRecord>(&record)) {
        on_absence(*absence);
        return;
    }
    if (const auto passed = model::passed_of(record)) {
        fire(*passed, no_bound, out);
        time_ = std::max(time_, *passed);
        // An absence that has become known since may have moved a case's end by so much. It never
        // goes back, so that nobody need know which bytes have been dropped already.
        if (time_.time_since_epoch() >= absences_.most()) {
            expired_before_ = std::max(expired_before_, time_ - absences_.most());
            closed_.expire(expired_before_);
        }
    }
    if (const auto* leg = std::get_if<model::LegRecord>(&record)) {
        on_leg(*leg, out);
    } else if (const auto* flow = std::get_if<model::FlowRecord>(&record)) {
        on_flow(*flow);
    } else if (const auto* level = std::get_if<model::LevelRecord>(&record)) {
        level_ = std::max(level_, level->level);  // a slow lane's copy may be of an older one
    }
}

void Engine::on_flow(const model::FlowRecord& record) {
    if (find_flow(record.tenant, record.flow, record.version) != nullptr) {
        return;
    }
    if (auto flow = parse_flow(record.text, record.flow + ".yaml")) {
        use_flow(record.tenant, std::make_shared<const Flow>(std::move(*flow)));
    }
}

void Engine::use_flow(const TenantId& tenant, std::shared_ptr<const Flow> flow) {
    flows_.push_back({tenant, std::move(flow)});
}

const Flow* Engine::find_flow(const TenantId& tenant, std::string_view name,
                              std::uint32_t version) const {
    for (const KnownFlow& known : flows_) {
        if (known.flow->version == version && known.flow->name == name && known.tenant == tenant) {
            return known.flow.get();
        }
    }
    return nullptr;
}

/// What is in the queue stays where it is: a deadline only ever moves later, and is looked at again
/// when its turn comes.
void Engine::on_absence(const model::AbsenceRecord& record) {
    absences_.add(record);
    absences_changed_ = true;
    // Of a stretch that ended so long ago, every case it could concern has closed and can't be
    // amended any more.
    Duration longest{};
    for (const KnownFlow& known : flows_) {
        const Duration so_far = time_.time_since_epoch();
        if (known.flow->amend_for >= so_far ||
            known.flow->longest_deadline() >= so_far - known.flow->amend_for) {
            return;
        }
        longest = std::max(longest, known.flow->longest_deadline() + known.flow->amend_for);
    }
    absences_.forget_until(time_ - longest - absences_.most());
}

bool Engine::fire(Instant t, std::size_t cases_max, std::vector<Revision>& out) {
    for (; !due_.empty() && due_.begin()->deadline < t; --cases_max) {
        if (cases_max == 0) {
            return false;
        }
        const Due due = *due_.begin();
        note_change(*due.one);
        const Case& c = due.one->state;
        deadlines_of(c, deadlines_);
        if (const auto next = next_due(c, due.deadline); next && *next > due.deadline) {
            schedule(*due.one, next);  // an absence has moved it
            continue;
        }
        settle(*due.one, due.deadline, due.deadline + Duration(1), out);
    }
    return true;
}

std::optional<Instant> Engine::earliest_deadline() const {
    return due_.empty() ? std::nullopt : std::optional<Instant>(due_.begin()->deadline);
}

std::optional<Instant> Engine::deadline_of(std::size_t n) const {
    std::optional<Instant> out;
    for (auto it = due_.begin(); it != due_.end() && n > 0; ++it, --n) {
        out = it->deadline;
    }
    return out;
}

void Engine::schedule(OpenCase& one, std::optional<Instant> next) {
    Case& c = one.state;
    if (next && c.scheduled == *next) {
        return;
    }
    if (c.scheduled != no_deadline) {
        due_.erase({c.scheduled, &one});
    }
    c.scheduled = next.value_or(no_deadline);
    if (c.scheduled != no_deadline) {
        due_.insert({c.scheduled, &one});
    }
}

/// The case this record belongs to: open, or closed and still amendable, or new. nullptr: the
/// record is not for it.
OpenCase* Engine::find_or_open(const model::LegRecord& record, const Flow& flow,
                               std::vector<Revision>& out) {
    if (OpenCase* one = open_.find(id_)) {
        const Case& c = one->state;
        if (c.flow != &flow) {
            return nullptr;
        }
        // What is open has a deadline that has not passed, so most need no look at their deadlines.
        if (record.at <= time_ && c.put_off == no_deadline) {
            return one;
        }
        deadlines_of(c, deadlines_);
        if (record.at <= amend_until(*c.flow, deadlines_, never)) {
            return one;
        }
        // Engine time is far behind: the instance ends here, where no deadline has ended it yet.
        settle(*one, *std::max_element(deadlines_.begin(), deadlines_.end()), record.at, out);
    }
    const auto closed = closed_.find(id_);
    if (closed && amends(*closed, record.tenant, record.flow, record.at)) {
        if (Case::flow_version_of(closed->bytes) != flow.version) {
            return nullptr;
        }
        if (auto c = decode_closed(*closed, record.tenant, record.flow)) {
            return &open_.add(id_, std::move(*c));
        }
    }
    if (!record.opens) {
        return nullptr;
    }
    Case c;
    c.flow = &flow;
    c.instance = closed ? closed->instance + 1 : 1;
    c.level = level_;
    c.opened_at = record.at;
    return &open_.add(id_, std::move(c));
}

/// Even if this one event decides the case: opening is a revision of its own.
void Engine::publish_opening(const std::string& id, Case& c, Instant stamp,
                             std::vector<Revision>& out) {
    Judgement opening = judge(c, deadlines_, Instant::min());
    opening.status = VerdictStatus::pending;
    opening.missing.clear();
    opening.findings.clear();
    opening.at_risk.clear();
    c.published = digest_of(opening);
    publish(id, c, std::move(opening), stamp, out);
}

void Engine::on_leg(const model::LegRecord& record, std::vector<Revision>& out) {
    const Flow* flow = find_flow(record.tenant, record.flow, record.flow_version);
    const auto leg = flow != nullptr ? flow->leg_index(record.leg) : std::nullopt;
    if (!leg) {
        ++records_without_flow_;
        return;
    }
    id_ = model::case_log_key(record.tenant, record.flow, record.key);
    OpenCase* one = find_or_open(record, *flow, out);
    if (one == nullptr) {
        return;
    }
    note_change(*one);
    trace_ = record.trace;
    Case& c = one->state;
    c.take(flow->legs[*leg], *leg, record);
    c.opened_at = std::min(c.opened_at, record.at);
    c.latest = std::max(c.latest, record.at);
    deadlines_of(c, deadlines_);
    if (c.revision == 0) {
        publish_opening(one->id, c, c.latest, out);
    }
    if (!put_off(*one)) {
        settle(*one, c.latest, time_, out);
    }
    trace_ = {};
}

/// A case of very many events is judged as a whole each time, and each revision is a record: often
/// enough is once per so much log time for each of its events. What has been put off is judged
/// then, or with a deadline of the case, whichever comes first.
bool Engine::put_off(OpenCase& one) {
    Case& c = one.state;
    if (c.events.size() <= judged_at_once_max) {
        return false;
    }
    if (c.put_off == no_deadline) {
        const Instant due =
            later(c.judged_at, judged_every * static_cast<std::int64_t>(c.events.size()));
        if (due <= time_) {
            return false;
        }
        c.put_off = due;
    }
    if (c.scheduled > c.put_off) {
        schedule(one, c.put_off);
    }
    return true;
}

/// When something happens to the case by itself: a deadline that has not passed, or what was put
/// off.
std::optional<Instant> Engine::next_due(const Case& c, Instant passed_below) const {
    const auto deadline = earliest_from(deadlines_, passed_below);
    return c.put_off != no_deadline && (!deadline || c.put_off < *deadline) ? c.put_off : deadline;
}

void Engine::settle(OpenCase& one, Instant stamp, Instant passed_below,
                    std::vector<Revision>& out) {
    Case& c = one.state;
    deadlines_of(c, deadlines_);
    c.settle_legs();
    c.latest = stamp = std::max(c.latest, stamp);
    c.judged_at = stamp;
    c.put_off = no_deadline;
    const VerdictStatus coarse = pending_or_partial(c, deadlines_, passed_below);
    if (coarse != VerdictStatus::pending || c.status != VerdictStatus::pending) {
        Judgement judgement = judge(c, deadlines_, passed_below);
        if (const auto digest = digest_of(judgement); digest != c.published) {
            c.published = digest;
            publish(one.id, c, std::move(judgement), stamp, out);
        }
    }
    const std::optional<Instant> next = next_due(c, passed_below);
    if (c.status == VerdictStatus::matched || !next) {
        close(one, stamp);
    } else {
        schedule(one, next);
    }
}

/// Whoever calls has noted in `published` what it is told.
void Engine::publish(const std::string& id, Case& c, Judgement judgement, Instant stamp,
                     std::vector<Revision>& out) {
    const IdParts parts = parts_of(id);
    c.status = judgement.status;
    ++c.revision;
    Revision revision{model::Verdict(*TenantId::parse(parts.tenant)), false};
    revision.first_decision = judgement.status != VerdictStatus::pending && !c.decided;
    c.decided = c.decided || judgement.status != VerdictStatus::pending;
    Verdict& v = revision.verdict;
    v.flow = parts.flow;
    v.flow_version = c.flow->version;
    v.key_name = c.flow->key_name;
    v.key = parts.key;
    v.instance = c.instance;
    v.revision = c.revision;
    v.status = judgement.status;
    v.missing = std::move(judgement.missing);
    v.findings = std::move(judgement.findings);
    v.events = std::move(judgement.events);
    v.unlisted = std::move(judgement.unlisted);
    for (const Leg& leg : c.flow->legs) {
        if (leg.many) {
            v.multi_legs.push_back(leg.name);
        }
    }
    v.at_risk = std::move(judgement.at_risk);
    v.opened_at = c.opened_at;
    v.deadline = *std::max_element(deadlines_.begin(), deadlines_.end());
    if (judgement.status != VerdictStatus::pending) {
        v.reconciled_at = stamp;
    }
    v.at = stamp;
    v.level = c.level;
    v.trace = trace_;
    out.push_back(std::move(revision));
}

/// The absences that have become known since it closed may have moved its deadlines.
bool Engine::amends(const ClosedCase& closed, const TenantId& tenant, std::string_view flow,
                    Instant at) const {
    if (closed.amend_until < expired_before_) {
        return false;  // whether its bytes are still there or not
    }
    if (at <= closed.amend_until) {
        return true;
    }
    const Flow* version = find_flow(tenant, flow, Case::flow_version_of(closed.bytes));
    if (version == nullptr) {
        closed_.damaged({ErrorKind::corrupt, "a closed case's flow version is not known", ""});
        return false;
    }
    std::vector<Instant> deadlines;
    deadlines_moved(*version, Case::opened_at_of(closed.bytes), absences_, deadlines);
    return *std::max_element(deadlines.begin(), deadlines.end()) != never &&
           at <= amend_until(*version, deadlines, never);
}

std::optional<Case> Engine::decode_closed(const ClosedCase& closed, const TenantId& tenant,
                                          std::string_view flow) const {
    const Flow* version = find_flow(tenant, flow, Case::flow_version_of(closed.bytes));
    if (version == nullptr) {
        closed_.damaged({ErrorKind::corrupt, "a closed case's flow version is not known", ""});
        return std::nullopt;
    }
    auto c = Case::decode(closed.bytes, version);
    if (!c) {
        closed_.damaged(std::move(c).error());
        return std::nullopt;
    }
    return *std::move(c);
}

void Engine::close(OpenCase& one, Instant stamp) {
    Case& c = one.state;
    schedule(one, std::nullopt);
    if (c.closed_at == Instant{}) {
        c.closed_at = stamp;
        closed_keys_ += c.instance == 1 ? 1 : 0;
    }
    const Instant until =
        keys_ == Keys::used_once ? never : amend_until(*c.flow, deadlines_, c.closed_at);
    closed_.put_case(one.id, until, std::move(c));
    forget_change(one);
    if (one.kept) {
        ended_.push_back(one.id);
    }
    open_.remove(one);
}

bool Engine::would_join(const std::string& id) const {
    if (open_.find(id) != nullptr) {
        return true;
    }
    const auto closed = closed_.find(id);
    return closed && time_ <= closed->amend_until;
}

std::optional<CaseView> Engine::inspect(const TenantId& tenant, std::string_view flow,
                                        std::string_view key) const {
    const std::string id = model::case_log_key(tenant, flow, key);
    CaseView view;
    if (const OpenCase* one = open_.find(id)) {
        view.state = one->state;
        view.open = true;
    } else if (const auto closed = closed_.find(id);
               closed && closed->amend_until >= expired_before_) {
        auto c = decode_closed(*closed, tenant, flow);
        if (!c) {
            return std::nullopt;
        }
        view.state = std::move(*c);
    } else {
        return std::nullopt;
    }
    deadlines_of(view.state, view.deadlines);
    view.judgement = judge(view.state, view.deadlines, time_, true);
    return view;
}

void Engine::note_change(OpenCase& one) {
    if (one.change == 0) {
        changed_.push_back(&one);
        one.change = static_cast<std::uint32_t>(changed_.size());
    }
}

void Engine::forget_change(OpenCase& one) {
    if (one.change == 0) {
        return;
    }
    changed_[one.change - 1] = changed_.back();
    changed_.back()->change = one.change;
    changed_.pop_back();
    one.change = 0;
}

void Engine::put_changes(log::State& state) {
    for (; flows_kept_ < flows_.size(); ++flows_kept_) {
        const KnownFlow& known = flows_[flows_kept_];
        std::string key = flow_key(static_cast<std::uint32_t>(flows_kept_));
        std::string value = encode_flow(key, {known.tenant, known.flow->text});
        state.put(std::move(key), std::move(value));
    }
    if (std::exchange(absences_changed_, false)) {
        state.put(std::string(1, entry::absences), encode_absences(absences_.all()));
    }
    for (const std::string& id : ended_) {
        state.erase(open_key(id));
    }
    ended_.clear();
    for (OpenCase* one : changed_) {  // a key may have ended and be open again
        std::string key = open_key(one->id);
        std::string value = encode_open(key, one->state);
        state.put(std::move(key), std::move(value));
        one->kept = true;
        one->change = 0;
    }
    changed_.clear();
    std::string summary = encode_summary({.time = time_,
                                          .expired_before = expired_before_,
                                          .level = level_,
                                          .one_case_per_key = keys_ == Keys::used_once,
                                          .records_without_flow = records_without_flow_,
                                          .flows = flows_.size(),
                                          .open = open_.size(),
                                          .closed = closed_keys_});
    if (summary != summary_kept_) {
        state.put(std::string(1, entry::summary), summary);
        summary_kept_ = std::move(summary);
    }
}

Status Engine::restore(log::State& state) {
    HELIOS_ASSERT(open_.size() == 0 && flows_.empty() && time_ == Instant{},
                  "only a new engine is restored");
    HELIOS_TRY_ASSIGN(auto value, state.get(std::string(1, entry::summary)));
    EngineSummary summary;
    if (value) {
        HELIOS_TRY_ASSIGN(summary, decode_summary(*value));
        if (summary.one_case_per_key != (keys_ == Keys::used_once)) {
            return fail(ErrorKind::conflict,
                        "the engine's state was kept under another one_case_per_key");
        }
        summary_kept_ = std::move(*value);
    }
    time_ = summary.time;
    expired_before_ = summary.expired_before;
    level_ = summary.level;
    records_without_flow_ = summary.records_without_flow;
    closed_keys_ = summary.closed;
    HELIOS_TRY(restore_flows(state, summary.flows));
    HELIOS_TRY(restore_absences(state));
    return restore_open(state, summary.open);
}

Status Engine::restore_flows(log::State& state, std::uint64_t count) {
    HELIOS_TRY(state.scan(
        std::string(1, entry::flow), [&](std::string_view key, std::string_view value) -> Status {
            if (key != flow_key(static_cast<std::uint32_t>(flows_.size()))) {
                return fail(ErrorKind::corrupt, "the engine's state is damaged: a flow is missing");
            }
            HELIOS_TRY_ASSIGN(auto activated, decode_flow(key, value));
            auto flow = parse_flow(activated.text, "a flow that was activated");
            if (!flow) {
                return fail(ErrorKind::corrupt, flow.error().what);
            }
            use_flow(activated.tenant, std::make_shared<const Flow>(std::move(*flow)));
            return {};
        }));
    if (flows_.size() != count) {
        return fail(ErrorKind::corrupt, "the engine's state is damaged: a flow is missing");
    }
    flows_kept_ = flows_.size();
    return {};
}

Status Engine::restore_absences(log::State& state) {
    HELIOS_TRY_ASSIGN(const auto value, state.get(std::string(1, entry::absences)));
    if (value) {
        HELIOS_TRY_ASSIGN(const auto pieces, decode_absences(*value));
        absences_ = Absences(pieces);
    }
    return {};
}

/// One entry after the other, in the order of their keys; the queue of deadlines in one go.
Status Engine::restore_open(log::State& state, std::uint64_t count) {
    open_.reserve(std::min(count, open_cases_reserved_max));
    std::vector<Due> due;
    due.reserve(std::min(count, open_cases_reserved_max));
    std::string of;  // tenant NUL flow NUL of the last one
    const Flow* flow = nullptr;
    HELIOS_TRY(state.scan(
        std::string(1, entry::open), [&](std::string_view key, std::string_view value) -> Status {
            const std::string_view id = key.substr(1);
            HELIOS_TRY_ASSIGN(const auto bytes, decode_open(key, value));
            const auto version = Case::flow_version_of(bytes);
            if (flow == nullptr || flow->version != version || !id.starts_with(of)) {
                const IdParts parts = parts_of(id);
                const auto tenant = TenantId::parse(parts.tenant);
                const bool whole =
                    tenant && id == model::case_log_key(*tenant, parts.flow, parts.key);
                flow = whole ? find_flow(*tenant, parts.flow, version) : nullptr;
                of = id.substr(0, id.size() - parts.key.size());
            }
            if (flow == nullptr) {
                return fail(ErrorKind::corrupt,
                            "the engine's state is damaged: an open case's flow is not known");
            }
            HELIOS_TRY_ASSIGN(auto c, Case::decode(bytes, flow));
            OpenCase& one = open_.add(std::string(id), std::move(c));
            one.kept = true;
            if (one.state.scheduled != no_deadline) {
                due.push_back({one.state.scheduled, &one});
            }
            return {};
        }));
    if (open_.size() != count) {
        return fail(ErrorKind::corrupt, "the engine's state is damaged: an open case is missing");
    }
    // Their ids are in order already.
    std::stable_sort(due.begin(), due.end(),
                     [](const Due& a, const Due& b) { return a.deadline < b.deadline; });
    for (const Due& one : due) {
        due_.insert(due_.end(), one);
    }
    return {};
}

}  // namespace helios::reconcile
