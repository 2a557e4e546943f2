#pragma once
/// An explanation: what it is made of, and who makes it. The app passes the engine's own.

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/case_record.h"
#include "model/verdict.h"
#include "store/rows.h"

namespace helios::api {

/// What an explanation is made of.
struct ExplainRequest {
    explicit ExplainRequest(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    std::string flow;
    std::string key;
    std::vector<model::CaseRecord> records;  ///< legs of the case, activated flow versions and
                                             ///< absences, in the partition's order
    std::size_t expired = 0;                 ///< case records that the log no longer has
    std::optional<Instant> known_since;      ///< older ones nobody knows any more; absent: all are
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

}  // namespace helios::api
