#pragma once
/// The store's items of the DLQ for the gateway, with their bodies from the log.

#include "api/barrier.h"
#include "gateway/dlq_items.h"
#include "log/log.h"
#include "store/queries.h"

namespace helios::app {

/// What it refers to outlives it.
class DlqStore final : public gateway::DlqItems {
public:
    /// `keep_for`: how long bodies are used; 0: as long as the log has them. `wait_max`: for the
    /// store.
    DlqStore(store::Queries& rows, log::Log& log, const api::Barrier& barrier, Duration keep_for,
             Duration wait_max)
        : rows_(rows), log_(log), barrier_(barrier), keep_for_(keep_for), wait_max_(wait_max) {}

    Result<gateway::KeptItem> find(const TenantId& tenant, std::string_view dlq_id) override;
    Result<gateway::KeptItem> look(const TenantId& tenant, std::string_view dlq_id) override;
    Result<std::vector<std::string>> matching(const TenantId& tenant,
                                              const gateway::DlqFilter& filter, Instant until,
                                              std::size_t most) override;
    Result<bool> tried_in(const TenantId& tenant, std::string_view dlq_id,
                          std::string_view redrive) override;
    Result<std::vector<gateway::OpenRedrive>> open_redrives() override;

private:
    Status wait() const;
    Result<gateway::KeptItem> kept(const TenantId& tenant, const store::QuarantineRow& row);

    store::Queries& rows_;
    log::Log& log_;
    const api::Barrier& barrier_;
    const Duration keep_for_;
    const Duration wait_max_;
};

}  // namespace helios::app
