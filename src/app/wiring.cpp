#include "app/wiring.h"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/routes.h"
#include "api/web_assets.h"
#include "app/build_info.h"
#include "app/data_directory.h"
#include "app/holds.h"
#include "app/start.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/pause.h"
#include "base/thread_name.h"
#include "gateway/dlq_routes.h"
#include "gateway/handshake_routes.h"
#include "gateway/routes.h"
#include "log/disk_log.h"
#include "log/posix_disk.h"
#include "log/sim_disk.h"
#include "reconcile/activate.h"
#include "reconcile/door.h"
#include "reconcile/explain.h"

namespace helios::app {
namespace {

std::string url_of(const http::Address& address, bool secure) {
    const auto* const scheme = secure ? "https" : "http";
    return address.host.find(':') == std::string::npos
               ? fmt::format("{}://{}:{}", scheme, address.host, address.port)
               : fmt::format("{}://[{}]:{}", scheme, address.host, address.port);
}

constexpr Duration door_wait = std::chrono::milliseconds(100);
constexpr int door_waits_per_line = 50;
constexpr Duration catch_up_slice = std::chrono::milliseconds(100);

std::string activity_json(const gateway::SourceActivity& activity) {
    json::Writer out;
    out.begin_object().field("status", "up");
    if (activity.last_received_at) {
        out.field("lastReceivedAt", format_rfc3339(*activity.last_received_at));
    }
    out.field("received", activity.received)
        .field("appended", activity.appended)
        .field("duplicate", activity.duplicate);
    out.field("conflict", activity.conflict)
        .field("quarantined", activity.quarantined)
        .field("refused", activity.refused);
    return out.end_object().take();
}

/// What a start changes; the configuration is who asked.
model::AuditRecord done_by_itself(const TenantId& tenant, std::string what, std::string before,
                                  std::string after) {
    model::AuditRecord record(tenant);
    record.who = "helios";
    record.what = std::move(what);
    record.before = std::move(before);
    record.after = std::move(after);
    record.reason = "start";
    record.outcome = "done";
    return record;
}

std::string version_text(std::uint32_t version) {
    return "version " + std::to_string(version);
}

model::AuditRecord deleted(const Caller& caller, const http::Request& request,
                           const adapters::SubscriptionDeletion& deletion) {
    model::AuditRecord record(caller.tenant);
    record.who = caller.subject;
    record.from = request.remote;
    record.what = "eventgrid.subscription.delete";
    record.before = deletion.topic + " " + deletion.subscription;
    record.reason = "told by Event Grid";
    record.outcome = "done";
    return record;
}

constexpr Duration longest_copies = std::chrono::days(36'500);

/// What the API found in the store and the log, told to the engine's own explanation.
Result<api::Explanation> explain_case(const api::ExplainRequest& asked) {
    reconcile::ExplainRequest request(asked.tenant);
    request.flow = asked.flow;
    request.key = asked.key;
    request.records = asked.records;
    for (const auto& row : asked.quarantined) {
        request.quarantined.push_back({row.dlq_id, row.source, row.event_type, row.event_id,
                                       row.reason, row.detail, row.first_at});
    }
    request.now = asked.now;
    request.expired = asked.expired;
    request.known_since = asked.known_since;
    request.truncated = asked.truncated;
    if (!asked.revisions.empty()) {
        request.latest = asked.revisions.back();
    }
    HELIOS_TRY_ASSIGN(const auto explanation, reconcile::explain(request));
    return api::Explanation{
        reconcile::to_json(explanation, request),
        reconcile::to_text(explanation, request, {asked.columns, asked.full_ids})};
}

}  // namespace

Node::Node(Config config, const Clock& clock, telemetry::Telemetry& telemetry)
    : config_(std::move(config)), clock_(clock), telemetry_(telemetry) {}

Result<std::unique_ptr<Node>> Node::open(Config config, const Clock& clock,
                                         telemetry::Telemetry& telemetry) {
    HELIOS_TRY(check_clock(clock.wall(), build_info()));
    std::signal(SIGPIPE,
                SIG_IGN);  // losing the reader of our log must not kill the server
    std::signal(
        SIGXFSZ,
        SIG_IGN);  // a file at its limit of size is told by the write that fails, like a full disk
    HELIOS_TRY(check_exposure(config));
    auto node = std::unique_ptr<Node>(new Node(std::move(config), clock, telemetry));
    // The address first: a port that is taken must not cost a recovery.
    node->config_.http.worker_wait_max = node->config_.store.query_limit;
    HELIOS_TRY_ASSIGN(node->server_, http::Server::bind(node->config_.http, telemetry, clock));
    std::vector<Error> errors;
    node->flows_[default_tenant()] = load_flows(node->config_.flow_files, errors);
    if (!errors.empty()) {
        return fail(std::move(errors.front()));
    }
    HELIOS_TRY(node->open_log());
    HELIOS_TRY(check_holds(*node->log_, holds(*node->log_, store_file(node->config_.data_dir))));
    HELIOS_TRY(node->open_flows());
    HELIOS_TRY(node->open_credentials());
    HELIOS_TRY(node->open_stages());
    HELIOS_TRY(node->open_api());
    return node;
}

Node::~Node() {
    stop();
}

Status Node::open_log() {
    if (config_.ephemeral) {
        telemetry_.logger.warn(
            "app", "ephemeral: everything is kept in memory and ends with this process", {});
        HELIOS_TRY_ASSIGN(auto scratch, TemporaryDirectory::make("helios-ephemeral-"));
        config_.data_dir = scratch.path();
        scratch_ = std::make_unique<TemporaryDirectory>(std::move(scratch));
        disk_ = std::make_unique<log::SimDisk>();
    } else {
        disk_ = log::posix_disk();
    }
    config_.log.directory = config_.data_dir;
    config_.log.folders = folders();
    config_.log.record_bytes_max =
        config_.gateway.log_record_bytes();  // what is too large for an event still fits, whole,
                                             // into quarantine
    HELIOS_TRY_ASSIGN(log_,
                      log::open_disk_log(config_.log, topic_specs(), *disk_, clock_, telemetry_));
    audit_ = std::make_unique<Audit>(*log_, telemetry_, clock_);
    HELIOS_TRY_ASSIGN(auto catalogue, load_catalogue(config_.catalogue_file));
    catalogue_ = std::make_unique<model::Catalogue>(std::move(catalogue));
    return {};
}

Status Node::open_flows() {
    HELIOS_TRY_ASSIGN(const std::uint32_t level_before, reconcile::raise_level(*log_));
    if (level_before != model::highest_level) {
        HELIOS_TRY(audit_->write_now(done_by_itself(
            default_tenant(), "engine.level", level_before == 0 ? "" : std::to_string(level_before),
            std::to_string(model::highest_level))));
    }
    for (const auto& [tenant, flows] : flows_) {
        for (const auto& flow : flows) {
            HELIOS_TRY(activate(tenant, flow));
            about_.flows[tenant].push_back(flow.name);
        }
    }
    return {};
}

Status Node::activate(const TenantId& tenant, const reconcile::Flow& flow) {
    HELIOS_TRY_ASSIGN(const auto activation,
                      reconcile::activate(*log_, tenant, flow, config_.route.flow_versions_max));
    if (!activation.is_new) {
        return {};
    }
    telemetry_.logger.info("reconcile", "flow activated",
                           {{"flow", flow.name}, {"version", flow.version}});
    auto record = done_by_itself(tenant, "flow.activate " + flow.name,
                                 activation.replaces == 0 ? "" : version_text(activation.replaces),
                                 version_text(flow.version) + " " + flow.hash);
    return audit_->write_now(std::move(record));
}

Status Node::open_credentials() {
    if (config_.callers.keys_file.empty()) {
        config_.callers.keys_file = keys_file(config_.data_dir);
    }
    HELIOS_TRY_ASSIGN(callers_,
                      Callers::open(config_.callers, is_alone(config_), telemetry_, clock_));
    fetcher_ = std::make_unique<sources::Fetcher>(sources::HttpsOptions{
        .ca_file = config_.ca_file, .test_hosts = config_.gateway.senders.test_hosts});
    HELIOS_TRY_ASSIGN(
        checks_,
        gateway::SenderChecks::open(
            config_.gateway.senders,
            {.clock = clock_,
             .telemetry = telemetry_,
             .environment = [environment = config_.environment](
                                const std::string& name) -> std::optional<std::string> {
                 const auto found = environment.find(name);
                 return found == environment.end() ? std::nullopt : std::optional(found->second);
             },
             .fetch = [this](const auth::VendorUrl& url, std::size_t bytes_max,
                             gateway::FetchDone done) { fetch(url, bytes_max, std::move(done)); },
             .prove_bearer =
                 [this](std::string_view text) { return callers_->prove_bearer(text); }}));
    const auto policy_hint = "sources.NAME.policy says how senders prove who they are";
    if (const auto off = sources_that_are_off(config_); !off.empty()) {
        telemetry_.logger.warn(
            "app", "sources are off: what they send is refused",
            {{"sources", fmt::format("{}", fmt::join(off, ", "))}, {"hint", policy_hint}});
    }
    if (const auto open = sources_without_proof(config_); !open.empty()) {
        telemetry_.logger.info(
            "app", "senders need not prove who they are: whoever reaches this server can send",
            {{"sources", fmt::format("{}", fmt::join(open, ", "))}, {"hint", policy_hint}});
    }
    return {};
}

void Node::fetch(const auth::VendorUrl& url, std::size_t bytes_max, gateway::FetchDone done) {
    sources::HttpsRequest request;
    request.https = url.https;
    request.host = url.host;
    request.port = url.port;
    request.target = url.target();
    request.answer_bytes_max = bytes_max;
    fetcher_->get(std::move(request),
                  [done = std::move(done)](Result<sources::HttpsAnswer> answer) {
                      if (!answer) {
                          return done(std::unexpected(std::move(answer).error()));
                      }
                      done(gateway::Fetched{std::move(answer->body),
                                            std::string(answer->header("cache-control"))});
                  });
}

Status Node::open_stages() {
    route_ = std::make_unique<reconcile::RouteStage>(config_.route, *log_, telemetry_, clock_);
    config_.engine.state_directory =
        config_.ephemeral ? "" : state_directory(config_.data_dir, "engine");
    engine_ = std::make_unique<reconcile::EngineStage>(config_.engine, *log_, *route_, telemetry_,
                                                       clock_);
    HELIOS_TRY(engine_->open());
    config_.store.file = store_file(config_.data_dir);
    config_.store.keep_cases = config_.cases_keep.value_or(config_.store.keep_events);
    config_.store.keep_quarantine = config_.quarantine_keep.value_or(config_.log.keep);
    // An id that counts as a copy for ever does so as far as slices are looked at.
    const Duration copies = config_.gateway.dedup_horizon_longest();
    config_.store.copies_within = copies == Duration::zero() ? longest_copies : copies;
    HELIOS_TRY_ASSIGN(projector_, store::Projector::open(config_.store, *log_, telemetry_, clock_));
    HELIOS_TRY_ASSIGN(queries_, store::Queries::open(config_.store, clock_));
    config_.gateway.waiting_bytes_max = config_.log.pending_bytes_max;
    config_.gateway.index_directory = config_.ephemeral ? "" : dedup_directory(config_.data_dir);
    model::NamedSources sources;
    for (const auto& [tenant, flows] : flows_) {
        for (const auto& flow : flows) {
            sources.add(tenant, flow.sources());
        }
    }
    const auto known = [sources = std::move(sources)](const TenantId& tenant,
                                                      std::string_view source) {
        return sources.contains(tenant, source);
    };
    HELIOS_TRY_ASSIGN(gateway_,
                      gateway::Gateway::open(
                          config_.gateway, *log_, *catalogue_, known, telemetry_, clock_,
                          [this](std::string_view source) { route_->presence().refuse(source); },
                          [this](const Caller& caller, const http::Request& request,
                                 const adapters::SubscriptionDeletion& deletion) {
                              audit_->write(deleted(caller, request, deletion));
                          },
                          checks_.get()));
    pulling_ =
        std::make_unique<Pulling>(config_, *gateway_, route_->presence(), telemetry_, clock_);
    return {};
}

Status Node::open_api() {
    about_.version = std::string(build_info().version);
    about_.ephemeral = config_.ephemeral;
    api_options_.quarantine_keep = config_.quarantine_keep.value_or(Duration::zero());
    const auto progress_of = [](const auto& stage) {
        return api::StageProgress{stage.frontier(), stage.reached()};
    };
    barrier_ = std::make_unique<api::Barrier>(*log_, progress_of(*route_), progress_of(*engine_),
                                              progress_of(*projector_), clock_);
    dlq_ = std::make_unique<DlqStore>(*queries_, *log_, *barrier_, api_options_.quarantine_keep,
                                      api_options_.barrier_limit);
    std::vector<api::NamedCheck> readiness{{"gateway", [this] { return gateway_->ready(); }}};
    for (auto& check : api::caught_up(*barrier_)) {
        readiness.push_back(std::move(check));
    }
    readiness.push_back({"route-writes", [this] { return route_->health(); }});
    readiness.push_back({"engine-writes", [this] { return engine_->health(); }});
    readiness.push_back({"store-writes", [this] { return projector_->health(); }});
    const auto settled = [this] {
        const auto now = engine_->settled();
        return api::Settled{now.processed, now.fired};
    };
    progress_ = std::make_unique<api::Progress>(*log_, *barrier_, settled, std::move(readiness),
                                                telemetry_, clock_);
    const auto component = [](auto check) {
        return [check] {
            const Status status = check();
            json::Writer out;
            out.begin_object().field("status", status ? "up" : "down");
            if (!status) {
                out.field("detail", status.error().message());
            }
            return out.end_object().take();
        };
    };
    api::Health health{
        .components = {{"log", component([this] { return log_->health(); })},
                       {"gateway", component([this] { return gateway_->ready(); })},
                       {"route", component([this] { return route_->health(); })},
                       {"engine", component([this] { return engine_->health(); })},
                       {"store", component([this] { return projector_->health(); })},
                       {"clock", component([this] { return progress_->clock(); })}},
        .clouds = {},
        .concerns = {{"store-file", [this] { return projector_->file_health(); }},
                     {"dedup-index", [this] { return gateway_->index_health(); }},
                     {"quarantine", [this] { return gateway_->quarantine_health(); }},
                     {"checkpoints", [this] { return engine_->checkpoints_health(); }}},
    };
    for (const auto source : model::built_in_sources) {
        health.clouds.push_back({std::string(source), [this, source] {
                                     return activity_json(gateway_->activity(source));
                                 }});
    }
    vitals_ =
        std::make_unique<api::Vitals>(*log_, *barrier_, *progress_, std::move(health), clock_);
    routes_ = std::make_unique<http::RouteTable>();
    gateway::add_routes(*routes_, *gateway_, [this] { return pulling_->reports(); });
    const auto audit = [this](model::AuditRecord record) { audit_->write(std::move(record)); };
    gateway::add_handshake_routes(*routes_, *gateway_, audit);
    redrives_ = std::make_unique<gateway::Redrives>(
        gateway::Redrives::Parts{*gateway_, *dlq_, *log_, telemetry_, clock_, audit});
    gateway::add_dlq_routes(*routes_, *gateway_, *dlq_, *redrives_, audit);
    api::add_routes(*routes_, {
                                  .options = api_options_,
                                  .about = about_,
                                  .log = *log_,
                                  .store = *queries_,
                                  .barrier = *barrier_,
                                  .progress = *progress_,
                                  .vitals = *vitals_,
                                  .telemetry = telemetry_,
                                  .clock = clock_,
                                  .explain = explain_case,
                                  .assets = api::web_assets(),
                                  .silence = [this] { return server_->silence(); },
                              });
    return {};
}

void Node::start() {
    HELIOS_ASSERT(!started_, "a node starts once");
    started_ = true;
    engine_->start();
    projector_->start();
    progress_->start();
    vitals_->start();
    const auto identify = [this](const http::Route& route, const http::Request& request) {
        return callers_->identify(route, request);
    };
    server_->start(*routes_, identify, [this](const http::Route* route) {
        if (const auto source = route == nullptr ? "" : gateway::source_at(route->path)) {
            const auto door = gateway::door_at(route == nullptr ? "" : route->path,
                                               config_.gateway.senders.declared);
            if (door) {
                gateway_->note_refused(door->source());
            }
            route_->presence().refuse(*source);
        }
    });
    auto needed = holds(*log_, config_.store.file);
    needed.push_back({"engine", [this]() -> Result<log::Offsets> { return engine_->kept_from(); }});
    needed.push_back(
        {"dedup", [this]() -> Result<log::Offsets> { return gateway_->indexed_durably(); }});
    log_->keep(std::move(needed));
    file_watch_ = std::make_unique<FileWatch>(
        std::vector<FileWatch::Look>{
            {"log", [this] { return log_->check_files(); }},
            {"deduplication index", [this] { return gateway_->check_files(); }},
            // Without its log there is nothing to make a store of.
            {"store", [this] { return log_->health() ? projector_->check_file() : Status{}; }}},
        config_.check_interval, telemetry_);
    checks_->fetch_ahead();
    credentials_ = std::jthread([this](const std::stop_token& stop) {
        name_this_thread("credentials");
        constexpr Duration between = std::chrono::seconds(2);  // they look at most every 5 s
        for (; !stop.stop_requested(); pause_for(stop, between)) {
            callers_->refresh();
            checks_->refresh();
        }
    });
    quarantine_ = std::jthread([this](const std::stop_token& stop) {
        name_this_thread("quarantine");
        constexpr Duration between = std::chrono::milliseconds(500);
        for (; !stop.stop_requested(); pause_for(stop, between)) {
            if (auto size = queries_->quarantine_size()) {  // else what is known counts on
                gateway_->note_stored({size->bytes, std::move(size->next_offsets)});
            }
        }
    });
    door_ = std::jthread([this](const std::stop_token& stop) { open_door(stop); });
    redrives_->start();
    telemetry_.logger.info(
        "app", "started",
        {{"url", url()},
         {"data", config_.ephemeral ? std::string("(in memory)") : config_.data_dir}});
    const auto addresses = server_->addresses();
    for (std::size_t i = 1; i < addresses.size(); ++i) {
        telemetry_.logger.info("app", "listening, too",
                               {{"url", url_of(addresses[i], config_.http.tls.on())}});
    }
}

/// In this order, whatever it takes: the ids of all durable events, or one could be taken in twice;
/// then our absence on the log, which lasts until somebody may send again; then the door.
void Node::open_door(const std::stop_token& stop) {
    name_this_thread("door");
    for (int waits = 1; !gateway_->wait_caught_up(door_wait); ++waits) {
        if (stop.stop_requested()) {
            return;
        }
        if (waits % door_waits_per_line == 0) {
            telemetry_.logger.info("app", "events are refused until the server is ready",
                                   {{"why", gateway_->ready().error().what}});
        }
    }
    for (bool told = false; !stop.stop_requested(); told = true) {
        const Status opened = route_->open();
        if (opened) {
            watch_ = std::make_unique<Watch>(route_->presence(), *server_, *log_);
            route_->start();
            working_ = true;
            gateway_->admit([this](const model::Event& event, json::Value payload) {
                const auto flows = flows_.find(event.tenant);
                return flows == flows_.end() ? Status() : engine_->room([&] {
                    return reconcile::case_keys(flows->second, event, payload);
                });
            });
            pulling_->start();
            return;
        }
        if (!told) {
            telemetry_.logger.error(
                "app", "events are refused until our absence stands on the log; trying again",
                {{"error", opened.error().message()}});
        }
        pause_for(stop, door_wait);
    }
}

/// So that whoever reads the directory afterwards finds it complete. What keeps the stages from it
/// is no reason to stay: the next start goes on from there.
void Node::let_stages_catch_up(Duration until) {
    engine_->stop_ticking();
    const Instant now = log_->now();
    while (clock_.monotonic() < until && log_->health() && route_->health() && engine_->health() &&
           projector_->health()) {
        const auto slice = [&] {
            return std::clamp(until - clock_.monotonic(), Duration::zero(), catch_up_slice);
        };
        // What was refused until now route has yet to say: no offset tells whether it has.
        if (!route_->frontier().wait_for(now + log::log_time_grain, slice())) {
            continue;
        }
        const auto end = barrier_->ends();
        if (end && barrier_->wait(*end, slice()) && barrier_->ends() == end) {
            return;
        }
    }
    telemetry_.logger.warn(
        "app",
        "stopping with a part of the log still to be taken in; the next start goes on from there",
        {{"route", api::Barrier::standing(barrier_->route())},
         {"engine", api::Barrier::standing(barrier_->engine())},
         {"store", api::Barrier::standing(barrier_->store())}});
}

void Node::stop() {
    if (stopped_) {
        return;
    }
    stopped_ = true;
    if (file_watch_) {
        file_watch_->stop();
    }
    const Duration until = clock_.monotonic() + config_.drain_limit;
    if (door_.joinable()) {
        door_.request_stop();
        door_.join();
    }
    if (credentials_.joinable()) {
        credentials_.request_stop();
        credentials_.join();
    }
    if (quarantine_.joinable()) {
        quarantine_.request_stop();
        quarantine_.join();
    }
    if (redrives_) {
        redrives_->stop();
    }
    if (pulling_) {
        pulling_->stop();
    }
    const Instant stopping = log_ ? log_->now() : Instant{};
    if (watch_) {
        watch_->stop();
        log_->show_life({stopping, false});  // nobody can connect any more
    }
    if (server_) {
        server_->drain(config_.drain_limit);
    }
    if (gateway_) {
        gateway_->close();
    }
    if (fetcher_) {
        fetcher_->close();
    }
    if (vitals_) {
        vitals_->stop();
    }
    if (progress_) {
        progress_->stop();
    }
    if (working_) {
        let_stages_catch_up(until);
    }
    if (route_) {
        route_->stop();
    }
    if (watch_) {
        if (const auto sign = route_->presence().sign_of_life(); sign.absent) {
            log_->show_life({std::min(stopping, sign.at), true});
        }
    }
    if (engine_) {
        engine_->stop();
    }
    if (projector_) {
        projector_->stop();
    }
    if (log_) {
        log_->close();
    }
}

Status Node::ready() const {
    for (auto& outcome : progress_->run_checks()) {
        HELIOS_TRY(std::move(outcome.status));
    }
    return {};
}

std::string Node::url() const {
    return url_of({server_->host(), server_->port()}, config_.http.tls.on());
}

}  // namespace helios::app
