#pragma once
/// The items of the DLQ as whoever keeps them knows them: the gateway only writes down what
/// becomes of them. The app gives it the store's.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/dlq_filter.h"
#include "model/audit.h"
#include "model/dlq_outcome.h"
#include "model/quarantined.h"
#include "model/redrive.h"

namespace helios::gateway {

/// Writes down who has done what; returns at once.
using WriteAudit = std::function<void(model::AuditRecord)>;

struct KeptItem {
    explicit KeptItem(TenantId of) : item(std::move(of)) {}

    model::Quarantined item;    ///< without headers and body if `expired`
    bool expired = false;       ///< past retention
    bool confirmation = false;  ///< an SNS handshake, no event
    model::DlqStatus status = model::DlqStatus::waiting;
    std::uint32_t attempts = 0;
    std::string became;  ///< accepted: the id of its event
};

/// What has become of a redrive's items.
struct RedriveCounts {
    std::uint64_t accepted = 0;
    std::uint64_t duplicate = 0;
    std::uint64_t conflict = 0;
    std::uint64_t failed = 0;
    std::uint64_t skipped = 0;  ///< needed no try any more

    std::uint64_t tried() const { return accepted + duplicate + conflict + failed; }
    std::uint64_t failing() const { return conflict + failed; }
};

/// A redrive that has begun and not ended.
struct OpenRedrive {
    model::RedriveRecord begin;
    RedriveCounts counts;
};

/// Thread-safe; blocks its caller. Errors of all: not_found; unavailable: what was acknowledged has
/// not been taken in yet; the store's.
class DlqItems {
public:
    virtual ~DlqItems() = default;

    /// As of all that was acknowledged before this call.
    virtual Result<KeptItem> find(const TenantId& tenant, std::string_view dlq_id) = 0;
    /// As far as it is known now.
    virtual Result<KeptItem> look(const TenantId& tenant, std::string_view dlq_id) = 0;

    /// Ids of the events that wait and match, in the order in which they came first, before
    /// `until`. As of all that was acknowledged before this call. exhausted: more than `most`.
    virtual Result<std::vector<std::string>> matching(const TenantId& tenant,
                                                      const DlqFilter& filter, Instant until,
                                                      std::size_t most) = 0;
    /// Whether an outcome of that redrive names the item.
    virtual Result<bool> tried_in(const TenantId& tenant, std::string_view dlq_id,
                                  std::string_view redrive) = 0;
    /// In the order in which they began. As of all that was acknowledged before this call.
    virtual Result<std::vector<OpenRedrive>> open_redrives() = 0;
};

}  // namespace helios::gateway
