#include "gateway/gateway.h"

#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <set>
#include <thread>

#include "base/assert.h"
#include "base/mutex.h"
#include "base/pause.h"
#include "base/shown.h"
#include "base/thread_name.h"
#include "gateway/answers.h"
#include "gateway/sender_patience.h"
#include "gateway/submission.h"
#include "model/counts.h"
#include "model/dlq_outcome.h"
#include "model/topics.h"

namespace helios::gateway {

namespace {

constexpr std::string_view room = "gateway";
/// Between two looks at who waits too long: small beside what is left of a patience then.
constexpr Duration look_interval = std::chrono::milliseconds(200);
constexpr std::size_t told_at_once = 1'000;
/// No request has been refused for so long, nor told that it is overdue: it is over.
constexpr Duration overload_over = std::chrono::seconds(10);

}  // namespace

std::string Intake::why_not_yet() const {
    if (deduplicator->caught_up()) {
        return "the server is starting";
    }
    const Instant reached = deduplicator->reached();
    return fmt::format(
        "the deduplication index is catching up with the log: it has {}, the log ends at {}",
        reached == Instant{} ? "read nothing yet" : "come to " + format_rfc3339(reached),
        format_rfc3339(log.last_log_time()));
}

Intake::Place Intake::begin(Submission& submission, std::size_t bytes, Duration now, Duration since,
                            Duration until, SenderKind sender) {
    Place place;
    bool first = false;
    Duration until_taken{};
    {
        const MutexLock lock(mutex);
        if (closing) {
            place.closing = true;
            return place;
        }
        ++in_flight;
        const Duration expected = pace.expected_wait(now);
        place.wait = (now - since) + expected;
        // What has waited unread, after a standstill of ours, is owed an answer like all others.
        until_taken = std::min(until, now + taken_up_to(sender));
        const bool fits = pace.has_room(bytes, options.waiting_bytes_max, leaves_percent(sender));
        if (fits && since + place.wait <= until_taken) {
            pace.begin(submission.place, bytes, now);
            due.add(submission, until);
            return place;
        }
        first = !overload.is_on();
        ++overload.refused;
        overload.last = now;
    }
    place.again = std::max(Duration::zero(), since + place.wait - until_taken);
    if (first) {
        say_overload(now - since, place.wait - (now - since));
    }
    return place;
}

void Intake::stop_waiting(Submission& submission, bool stored, Duration now) {
    pace.end(submission.place, stored, now);
    due.remove(submission);
    metrics.in_flight().add(-1);
}

void Intake::begin_append() {
    const MutexLock lock(mutex);
    ++in_flight;
}

void Intake::end() {
    const MutexLock lock(mutex);
    if (--in_flight == 0) {
        idle.notify_all();
    }
}

void Intake::say_overload(Duration unread, Duration expected) const {
    telemetry.logger.warn(
        room, "requests would wait longer than their senders do: those are told to send again",
        {{"unread_ms", std::int64_t{unread / std::chrono::milliseconds(1)}},
         {"expected_ms", std::int64_t{expected / std::chrono::milliseconds(1)}}});
}

void Intake::look_after_waiting() {
    const Duration now = clock.monotonic();
    std::vector<std::shared_ptr<Submission>> overdue;
    for (bool more = true; more; overdue.clear()) {
        {
            const MutexLock lock(mutex);
            more = !due.take_due(now, told_at_once, [&](Submission& submission) {
                overdue.push_back(submission.shared_from_this());
            });
        }
        std::uint64_t told = 0;
        for (const auto& submission : overdue) {
            const auto became = submission->tell_overdue();
            told += became == Submission::Overdue::told;
            if (became == Submission::Overdue::not_yet) {
                const MutexLock lock(mutex);
                if (submission->place.waits) {  // it may have ended meanwhile
                    due.add(*submission, now + look_interval);
                }
            }
        }
        note_overdue(told, now);
    }
}

void Intake::look_after_quarantine() {
    metrics.dlq_bytes().set(static_cast<double>(dlq_room.waiting()));
    const auto alarm = dlq_room.alarm_turned();
    if (!alarm) {
        return;
    }
    const auto waiting = dlq_room.waiting();
    if (*alarm) {
        telemetry.logger.warn(
            room, "the quarantine fills up: when it is full, what can't be accepted is refused",
            {{"bytes", waiting}, {"bytes_max", dlq_room.bytes_max()}});
    } else {
        telemetry.logger.info(room, "there is room in the quarantine again", {{"bytes", waiting}});
    }
}

void Intake::note_overdue(std::uint64_t told, Duration now) {
    Overload over;
    Duration expected{};
    bool first = false;
    {
        const MutexLock lock(mutex);
        expected = pace.expected_wait(now);
        first = told != 0 && !overload.is_on();
        overload.overdue += told;
        overload.last = told != 0 ? now : overload.last;
        if (overload.is_on() && now - overload.last >= overload_over) {
            over = std::exchange(overload, {});
        }
    }
    metrics.expected_wait().set(std::chrono::duration<double>(expected).count());
    if (first) {
        say_overload(Duration::zero(), expected);
    }
    if (over.is_on()) {
        telemetry.logger.info(room, "requests are answered in time again",
                              {{"refused", over.refused}, {"overdue", over.overdue}});
    }
}

struct Gateway::State {
    State(Options options, log::Log& log, const model::Catalogue& catalogue, KnownSource known,
          telemetry::Telemetry& telemetry, const Clock& clock, RefusedByUs refused,
          SubscriptionDeleted deleted, const SenderChecks* checks)
        : intake{.options = std::move(options),
                 .log = log,
                 .catalogue = catalogue,
                 .known = std::move(known),
                 .refused_by_us = std::move(refused),
                 .subscription_deleted = std::move(deleted),
                 .azure = {},
                 .checks = checks,
                 .telemetry = telemetry,
                 .clock = clock,
                 .metrics = {telemetry.metrics, catalogue},
                 .counts = {},
                 .repeats = {},
                 .dlq_room = DlqRoom(intake.options.dlq_bytes_max),
                 .rates = RateLimits(intake.options.senders),
                 .refusals = {},
                 .handshakes = std::make_shared<Handshakes>(),
                 .deduplicator = {},
                 .admits = false,
                 .has_room = {},
                 .mutex = {},
                 .tried_now = {},
                 .idle = {},
                 .activity = {}} {}

    void flush_counts() {
        auto counts = intake.counts.take();
        if (counts.empty()) {
            return;
        }
        std::vector<log::Record> records;
        records.reserve(counts.size());
        for (const auto& item : counts) {
            log::Record record;
            record.topic = model::topic::counts;
            record.type = static_cast<std::uint16_t>(model::RecordType::counts);
            record.version = model::counts_version;
            record.key = item.source;
            record.value = model::encode(item);
            records.push_back(std::move(record));
        }
        intake.begin_append();
        intake.log.append(std::move(records), [this, counts = std::move(counts)](
                                                  std::span<const log::AppendOutcome> outcomes) {
            std::vector<model::Counts> failed;
            for (std::size_t i = 0; i < outcomes.size(); ++i) {
                if (!outcomes[i]) {
                    failed.push_back(counts[i]);
                }
            }
            intake.counts.put_back(failed);
            intake.end();
        });
    }

    void flush_repeats(QuarantineRepeats::Which which) {
        auto repeats = intake.repeats.take(intake.clock.monotonic(), which);
        if (repeats.empty()) {
            return;
        }
        std::vector<log::Record> records;
        records.reserve(repeats.size());
        for (const auto& [key, item] : repeats) {
            log::Record record;
            record.topic = model::topic::dlq;
            record.type = static_cast<std::uint16_t>(model::RecordType::quarantine_repeat);
            record.version = model::quarantine_repeat_version;
            record.key = key;
            record.value = model::encode(item);
            records.push_back(std::move(record));
        }
        intake.begin_append();
        intake.log.append(std::move(records), [this, repeats = std::move(repeats)](
                                                  std::span<const log::AppendOutcome> outcomes) {
            for (std::size_t i = 0; i < outcomes.size(); ++i) {
                if (!outcomes[i]) {
                    const auto& [key, item] = repeats[i];
                    intake.repeats.add(item.tenant, key, item.id, item.last_received_at,
                                       item.times);
                }
            }
            intake.end();
        });
    }

    void wait_idle() {
        MutexLock lock(intake.mutex);
        while (!intake.idle.wait_for(
            lock, std::chrono::seconds(10),
            [&]() HELIOS_REQUIRES(intake.mutex) { return intake.in_flight == 0; })) {
            intake.telemetry.logger.warn(room, "still waiting for appends before closing",
                                         {{"in_flight", std::uint64_t{intake.in_flight}}});
        }
    }

    Intake intake;
    std::jthread flusher;
    bool closed = false;
};

Result<std::unique_ptr<Gateway>> Gateway::open(Options options, log::Log& log,
                                               const model::Catalogue& catalogue, KnownSource known,
                                               telemetry::Telemetry& telemetry, const Clock& clock,
                                               RefusedByUs refused, SubscriptionDeleted deleted,
                                               const SenderChecks* checks) {
    HELIOS_TRY(options.validate());
    std::set<std::string, std::less<>> configured{"cloudevents"};
    for (const auto& [name, sender] : options.senders.declared) {
        configured.insert(name);
    }
    for (const auto& [prefix, name] : options.cloudevents.map) {
        configured.insert(name);
    }
    auto known_too = [known = std::move(known), configured = std::move(configured)](
                         const TenantId& tenant, std::string_view source) {
        return (tenant == default_tenant() && configured.contains(source)) || known(tenant, source);
    };
    auto state =
        std::make_unique<State>(std::move(options), log, catalogue, std::move(known_too), telemetry,
                                clock, std::move(refused), std::move(deleted), checks);
    HELIOS_TRY_ASSIGN(state->intake.azure, state->intake.options.azure_rules());
    HELIOS_TRY_ASSIGN(state->intake.deduplicator,
                      Deduplicator::open(state->intake.options, log, telemetry, clock));
    state->flusher = std::jthread([raw = state.get()](const std::stop_token& stop) {
        name_this_thread("counts");
        const Duration interval = raw->intake.options.counts_interval;
        const Duration pause = std::min<Duration>(interval, look_interval);
        for (Duration since_counts = interval; !stop.stop_requested(); since_counts += pause) {
            if (since_counts >= interval) {
                since_counts = Duration::zero();
                raw->flush_counts();
                raw->flush_repeats(QuarantineRepeats::Which::due);
            }
            raw->intake.look_after_waiting();
            raw->intake.look_after_quarantine();
            pause_for(stop, pause);
        }
    });
    return std::unique_ptr<Gateway>(new Gateway(std::move(state)));
}

Gateway::Gateway(std::unique_ptr<State> state) : state_(std::move(state)) {}

Gateway::~Gateway() {
    close();
}

void Gateway::accept(const Door& door, http::Request request, Caller caller, ReceiptDone done) {
    std::make_shared<Submission>(state_->intake, door, std::move(request), std::move(caller),
                                 std::move(done))
        ->start();
}

namespace {

/// In requests a minute: what was asked for, at most the source's rate; "*": there is no bound.
std::string allowed_rate(const std::string* asked, std::uint64_t rate) {
    if (rate == 0) {
        return "*";
    }
    constexpr std::uint64_t minute = 60;
    std::uint64_t most = rate > std::numeric_limits<std::uint64_t>::max() / minute
                             ? std::numeric_limits<std::uint64_t>::max()
                             : rate * minute;
    std::uint64_t wanted = 0;
    if (asked != nullptr) {
        const auto [end, error] =
            std::from_chars(asked->data(), asked->data() + asked->size(), wanted);
        if (error == std::errc() && end == asked->data() + asked->size() && wanted != 0) {
            most = std::min(most, wanted);
        }
    }
    return std::to_string(most);
}

}  // namespace

http::Response Gateway::greet(const Door& door, const http::Request& request) const {
    const auto* checks = state_->intake.checks;
    const auto* policy = state_->intake.options.senders.find(door.source());
    ProvenSender sender;
    sender.proof = auth::Proof::held("anybody");
    if (checks != nullptr) {
        sender = checks->check(door, request);
    }
    if (!sender.proof.is_held()) {
        Receipt refused;
        refused.kind = Receipt::Kind::unproved;
        refused.sender = sender_of(door.endpoint, request);
        refused.proof = sender.proof.kind;
        refused.error = {ErrorKind::denied, sender.proof.text, ""};
        return answer(door, refused);
    }
    auto response = http::Response::empty(200).with("Allow", "OPTIONS, POST");
    const auto* origin = request.header("WebHook-Request-Origin");
    if (origin == nullptr || policy == nullptr ||
        !policy->greets(door.source(), *origin,
                        sender.authenticated)) {  // no consent: its sender sends nothing then
        return response;
    }
    state_->intake.telemetry.logger.info(
        room, "a sender was told that he may send",
        {{"source", std::string(door.source())}, {"origin", one_line(*origin)}});
    return response.with("WebHook-Allowed-Origin", *origin)
        .with("WebHook-Allowed-Rate",
              allowed_rate(request.header("WebHook-Request-Rate"), policy->rate));
}

void Gateway::resubmit(Resubmission again, Caller caller, ReceiptDone done) {
    Intake& intake = state_->intake;
    if (again.dry) {
        std::make_shared<Submission>(intake, std::move(again), std::move(caller), std::move(done))
            ->start();
        return;
    }
    const std::pair key(again.item.tenant, again.item.id);
    const bool alone = [&] {
        const MutexLock lock(intake.mutex);
        return intake.tried_now.insert(key).second;
    }();
    if (!alone) {
        Receipt receipt;
        receipt.kind = Receipt::Kind::refused;
        receipt.error = {ErrorKind::unavailable, "this item is being tried right now",
                         "ask again in a moment, or look what has become of it"};
        return done(std::move(receipt));
    }
    auto ended = [&intake, key, done = std::move(done)](Receipt receipt) mutable {
        {
            const MutexLock lock(intake.mutex);
            intake.tried_now.erase(key);
        }
        done(std::move(receipt));
    };
    std::make_shared<Submission>(intake, std::move(again), std::move(caller), std::move(ended))
        ->start();
}

void Gateway::discard(const model::Quarantined& item, std::string reason, const Caller& caller,
                      OutcomeDone done) {
    Intake& intake = state_->intake;
    if (const auto can = ready(); !can) {
        return done(can);
    }
    model::DlqOutcome outcome(item.tenant);
    outcome.id = item.id;
    outcome.what = model::DlqResult::discarded;
    outcome.reason = std::move(reason);
    outcome.who = caller.subject;
    outcome.at = intake.clock.wall();
    std::vector<log::Record> records;
    records.push_back(record_of(outcome, model::record_key_of(item)));
    intake.metrics.tried_again(model::to_string(outcome.what));
    intake.begin_append();
    intake.log.append(
        std::move(records),
        [&intake, done = std::move(done)](std::span<const log::AppendOutcome> outcomes) mutable {
            done(outcomes.front() ? Status{} : Status(fail(outcomes.front().error())));
            intake.end();
        });
}

Status Gateway::ready() const {
    Intake& intake = state_->intake;
    {
        const MutexLock lock(intake.mutex);
        if (intake.closing) {
            return fail(ErrorKind::stopping, "the gateway is closing");
        }
    }
    if (!intake.admits.load(std::memory_order_acquire)) {
        return fail(ErrorKind::unavailable, intake.why_not_yet(), "wait; this needs no action");
    }
    HELIOS_TRY(intake.deduplicator->health());
    return intake.log.health();
}

log::Offsets Gateway::indexed_durably() const {
    return state_->intake.deduplicator->indexed_durably();
}

Status Gateway::index_health() const {
    return state_->intake.deduplicator->index_health();
}

void Gateway::note_stored(const StoredDlq& known) {
    state_->intake.dlq_room.stored(known);
}

Status Gateway::quarantine_health() const {
    const DlqRoom& dlq = state_->intake.dlq_room;
    if (!dlq.alarm()) {
        return {};
    }
    return fail(ErrorKind::exhausted,
                fmt::format("{} of {} bytes wait in quarantine", dlq.waiting(), dlq.bytes_max()),
                "discard or redrive what waits (`helios dlq`), or raise gateway.dlq_bytes_max: "
                "when it is full, what can't be accepted is refused");
}

std::vector<Refused> Gateway::refusals(std::string_view source) const {
    std::vector<Refused> out;
    if (const auto* checks = state_->intake.checks) {
        out = checks->refusals(source);
    }
    std::ranges::move(state_->intake.refusals.of(source), std::back_inserter(out));
    return out;
}

/// `source` is an endpoint's, which are bounded.
void Gateway::note_refused(std::string_view source) const {
    const Intake& intake = state_->intake;
    intake.refusals.note(source, refusal::overload, intake.clock.wall());
}

Status Gateway::check_files() {
    return state_->intake.deduplicator->check_files();
}

std::vector<WaitingHandshake> Gateway::handshakes() const {
    return state_->intake.handshakes->list(state_->intake.clock.wall());
}

void Gateway::confirm_handshake(std::string_view id, HandshakeDone done) {
    Intake& intake = state_->intake;
    auto found = intake.handshakes->find(id, intake.clock.wall());
    if (!found) {
        return done(fail(found.error()));
    }
    if (intake.checks == nullptr) {
        return done(fail(ErrorKind::unavailable, "nothing can be visited here"));
    }
    // Copyable, as a FetchDone must be. What it touches outlives the fetches: the intake's
    // handshakes are shared with them.
    auto shared = std::make_shared<HandshakeDone>(std::move(done));
    intake.checks->visit(found->url, [handshakes = intake.handshakes, shared,
                                      one = *found](const Result<Fetched>& answer) {
        if (!answer) {
            return (*shared)(fail(answer.error()));
        }
        handshakes->forget(one.id);
        (*shared)(one);
    });
}

bool Gateway::wait_caught_up(Duration limit) const {
    return state_->intake.deduplicator->wait_caught_up(limit);
}

void Gateway::admit(RoomCheck has_room) {
    HELIOS_ASSERT(state_->intake.deduplicator->caught_up(),
                  "an id that is not known yet would be taken in twice");
    state_->intake.has_room = std::move(has_room);
    state_->intake.admits.store(true, std::memory_order_release);
}

SourceActivity Gateway::activity(std::string_view source) const {
    const MutexLock lock(state_->intake.mutex);
    const auto it = state_->intake.activity.find(source);
    if (it == state_->intake.activity.end()) {
        return {};
    }
    auto late = it->second.late;
    late.turn(state_->intake.clock.monotonic());
    auto activity = it->second.since_start;
    activity.last_minute = late.before.received;
    activity.behind = late.current.behind ? late.current.behind : late.before.behind;
    if (late.current.behind && late.before.behind) {
        activity.behind = std::min(*late.current.behind, *late.before.behind);
    }
    return activity;
}

std::vector<std::string> Gateway::sources() const {
    std::vector<std::string> names(sources_with_endpoint.begin(), sources_with_endpoint.end());
    std::set<std::string, std::less<>> others;
    for (const auto& [name, sender] : options().senders.declared) {
        others.insert(name);
    }
    for (const auto& [prefix, name] : options().cloudevents.map) {
        others.insert(name);
    }
    {
        const MutexLock lock(state_->intake.mutex);
        for (const auto& [name, entry] : state_->intake.activity) {
            others.insert(name);
        }
    }
    for (const auto& name : names) {
        others.erase(name);
    }
    names.insert(names.end(), others.begin(), others.end());
    return names;
}

const SenderChecks* Gateway::checks() const {
    return state_->intake.checks;
}

const Clock& Gateway::clock() const {
    return state_->intake.clock;
}

const Options& Gateway::options() const {
    return state_->intake.options;
}

void Gateway::close() {
    if (state_->closed) {
        return;
    }
    state_->closed = true;
    {
        const MutexLock lock(state_->intake.mutex);
        state_->intake.closing = true;
    }
    state_->wait_idle();
    state_->flusher.request_stop();
    state_->flusher.join();
    state_->flush_counts();
    for (std::size_t left = 0; left <= QuarantineRepeats::items_max;
         left += QuarantineRepeats::taken_max) {
        state_->flush_repeats(QuarantineRepeats::Which::all);
    }
    state_->wait_idle();
    state_->intake.deduplicator->close();
}

}  // namespace helios::gateway
