#pragma once
/// What the app hands to the API: references to the rooms it reads, and functions for what it may
/// not know.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "api/barrier.h"
#include "api/options.h"
#include "api/progress.h"
#include "api/web_assets.h"
#include "base/clock.h"
#include "log/log.h"
#include "model/case_record.h"
#include "model/verdict.h"
#include "store/queries.h"
#include "telemetry/telemetry.h"

namespace helios::api {

/// A line of /api/v1/health with details of its own.
struct HealthDetail {
    std::string name;
    std::function<std::string()> json;  ///< a JSON object, quick, thread-safe
};

/// What an explanation is made of.
struct ExplainRequest {
    explicit ExplainRequest(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    std::string flow;
    std::string key;
    std::vector<model::CaseRecord> records;  ///< legs of the case, activated flow versions and
                                             ///< absences, in the partition's order
    std::size_t expired = 0;                 ///< case records that the log no longer has
    bool truncated = false;                  ///< more records than the store hands out
    std::vector<model::Verdict> revisions;   ///< as decided, oldest first
    std::vector<store::QuarantineRow> quarantined;  ///< items that name the key
    Instant now;                                    ///< as far as the engine has come
    std::size_t columns = 0;  ///< of the screen that the text is for; 0: as wide as it is
    bool full_ids = false;    ///< not even for that are ids cut
};

struct Explanation {
    std::string json;
    std::string text;
};

/// not_found: the records say nothing of such a case.
using Explain = std::function<Result<Explanation>(const ExplainRequest&)>;

/// All must outlive the route table and its server.
struct Dependencies {
    const Options& options;
    log::Log& log;
    store::Queries& store;
    const Barrier& barrier;
    const Progress& progress;  ///< /ready is 200 when all of its checks are good
    telemetry::Telemetry& telemetry;
    const Clock& clock;
    Explain explain;                       ///< absent: the endpoint answers 503
    std::vector<HealthDetail> components;  ///< further entries of /api/v1/health
    std::vector<NamedCheck> concerns;  ///< asked by /api/v1/health alone: a reason to look, none to
                                       ///< send traffic elsewhere
    std::vector<HealthDetail> clouds;  ///< one per cloud
    std::span<const WebAsset> assets;  ///< web_assets()
};

}  // namespace helios::api
