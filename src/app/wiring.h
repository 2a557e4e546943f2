#pragma once
/// Builds the rooms in order into one struct; members are destroyed in the opposite order, which is
/// the shutdown order.

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "api/about.h"
#include "api/barrier.h"
#include "api/options.h"
#include "api/progress.h"
#include "api/vitals.h"
#include "app/audit.h"
#include "app/callers.h"
#include "app/config.h"
#include "app/dlq_store.h"
#include "app/file_watch.h"
#include "app/pulling.h"
#include "app/watch.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/temporary_directory.h"
#include "gateway/gateway.h"
#include "gateway/redrive.h"
#include "gateway/sender_checks.h"
#include "http/route.h"
#include "http/server.h"
#include "log/disk.h"
#include "log/log.h"
#include "model/catalogue.h"
#include "reconcile/engine_stage.h"
#include "reconcile/flow.h"
#include "reconcile/route_stage.h"
#include "sources/fetcher.h"
#include "store/projector.h"
#include "store/queries.h"
#include "telemetry/telemetry.h"

namespace helios::app {

/// A running Helios. Not thread-safe: start and stop belong to one thread.
class Node {
public:
    /// Opens everything and listens; serves traffic once start() is called. Errors say what to do.
    static Result<std::unique_ptr<Node>> open(Config config, const Clock& clock,
                                              telemetry::Telemetry& telemetry);
    ~Node();  ///< stops

    /// Starts the server and the stages. Questions are answered at once, events taken in once
    /// /ready says so.
    void start();
    /// Refuses new requests, finishes those in flight, stops the stages, closes the log.
    /// Idempotent.
    void stop();

    /// Good once /ready is 200; else what it waits for. While started.
    Status ready() const;
    /// Whether the threads that read and write sockets come by; see http::Server. Blocks. While
    /// started.
    bool turns_within(Duration limit) { return server_->turns_within(limit); }

    std::string url() const;  ///< "http://127.0.0.1:8001"

private:
    Node(Config config, const Clock& clock, telemetry::Telemetry& telemetry);
    Status open_log();
    Status open_flows();
    Status activate(const TenantId& tenant, const reconcile::Flow& flow);
    Status open_credentials();
    void fetch(const auth::VendorUrl& url, std::size_t bytes_max, gateway::FetchDone done);
    Status open_stages();
    Status open_api();
    void open_door(const std::stop_token& stop);
    void let_stages_catch_up(Duration until);

    Config config_;
    const Clock& clock_;
    telemetry::Telemetry& telemetry_;
    std::unique_ptr<TemporaryDirectory> scratch_;  // of an ephemeral server's store; goes last

    std::unique_ptr<log::Disk> disk_;
    std::unique_ptr<log::Log> log_;
    std::unique_ptr<Audit> audit_;
    std::unique_ptr<model::Catalogue> catalogue_;
    std::map<TenantId, std::vector<reconcile::Flow>> flows_;  ///< given at start
    std::unique_ptr<reconcile::RouteStage> route_;
    std::unique_ptr<reconcile::EngineStage> engine_;
    std::unique_ptr<store::Projector> projector_;
    std::unique_ptr<store::Queries> queries_;
    std::unique_ptr<sources::Fetcher> fetcher_;
    std::unique_ptr<Callers> callers_;
    std::unique_ptr<gateway::SenderChecks> checks_;
    std::unique_ptr<gateway::Gateway> gateway_;
    std::unique_ptr<Pulling> pulling_;
    api::Options api_options_;
    api::About about_;
    std::unique_ptr<api::Barrier> barrier_;
    std::unique_ptr<DlqStore> dlq_;
    std::unique_ptr<gateway::Redrives> redrives_;
    std::unique_ptr<api::Progress> progress_;
    std::unique_ptr<api::Vitals> vitals_;
    std::unique_ptr<http::RouteTable> routes_;
    std::unique_ptr<http::Server> server_;
    std::unique_ptr<FileWatch> file_watch_;
    std::unique_ptr<Watch> watch_;  // made by door_
    std::jthread credentials_;      ///< reads them again
    std::jthread quarantine_;       ///< asks how much waits there
    std::jthread door_;
    bool started_ = false;
    bool working_ =
        false;  ///< the stages have all begun; by the door's thread, until that is joined
    bool stopped_ = false;
};

}  // namespace helios::app
