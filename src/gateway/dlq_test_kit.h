#pragma once
/// For tests of the DLQ: its items as the store would know them, and its routes.

#include <algorithm>
#include <gtest/gtest.h>

#include "gateway/dlq_routes.h"
#include "gateway/redrive.h"
#include "gateway/test_kit.h"
#include "model/dlq_outcome.h"
#include "model/redrive.h"

namespace helios::gateway {

/// What the store would know, read from the log.
class ItemsOnLog final : public DlqItems {
public:
    explicit ItemsOnLog(Rig& rig) : rig_(rig) {}

    Result<KeptItem> find(const TenantId& tenant, std::string_view dlq_id) override {
        KeptItem out(tenant);
        bool found = false;
        for (const auto& record : rig_.dlq()) {
            if (record.type == model::RecordType::quarantined ||
                record.type == model::RecordType::sns_confirmation) {
                auto item = record.quarantined();
                if (item.id == dlq_id) {
                    found = true;
                    out.confirmation = record.type == model::RecordType::sns_confirmation;
                    out.item = std::move(item);
                }
            } else if (record.type == model::RecordType::dlq_outcome) {
                take(*model::decode_dlq_outcome(record.value), dlq_id, out);
            }
        }
        return found ? Result<KeptItem>(std::move(out))
                     : fail(ErrorKind::not_found, "nothing has this id");
    }

    Result<KeptItem> look(const TenantId& tenant, std::string_view dlq_id) override {
        return find(tenant, dlq_id);
    }
    Result<std::vector<std::string>> matching(const TenantId& tenant, const DlqFilter& filter,
                                              Instant until, std::size_t most) override {
        std::vector<std::string> ids;
        for (const auto& record : rig_.dlq()) {
            if (record.type != model::RecordType::quarantined || record.log_time >= until) {
                continue;
            }
            const auto item = record.quarantined();
            const bool wanted = filter.ids.empty()
                                    ? !filter.reason || *filter.reason == item.reason
                                    : std::ranges::find(filter.ids, item.id) != filter.ids.end();
            const auto status = find(tenant, item.id)->status;
            if (wanted && (status == model::DlqStatus::waiting ||
                           (status == model::DlqStatus::exhausted && !filter.ids.empty()))) {
                ids.push_back(item.id);
            }
        }
        if (ids.size() > most) {
            return fail(ErrorKind::exhausted, "too many");
        }
        return ids;
    }
    Result<bool> tried_in(const TenantId&, std::string_view dlq_id,
                          std::string_view redrive) override {
        return std::ranges::any_of(rig_.dlq(), [&](const Kept& record) {
            if (record.type != model::RecordType::dlq_outcome) {
                return false;
            }
            const auto outcome = model::decode_dlq_outcome(record.value);
            return outcome->id == dlq_id && outcome->redrive == redrive;
        });
    }
    Result<std::vector<OpenRedrive>> open_redrives() override {
        std::vector<OpenRedrive> open;
        for (const auto& record : rig_.dlq()) {
            if (record.type != model::RecordType::redrive) {
                continue;
            }
            const auto redrive = *model::decode_redrive(record.value);
            std::erase_if(open, [&](const auto& o) { return o.begin.id == redrive.id; });
            if (redrive.phase == model::RedrivePhase::running) {
                open.push_back({redrive, {}});
            }
        }
        return open;
    }

private:
    static void take(const model::DlqOutcome& outcome, std::string_view id, KeptItem& out) {
        if (outcome.id != id) {
            return;
        }
        out.attempts = std::max(out.attempts, outcome.attempt);
        if (model::is_settled(outcome.what)) {
            out.status = model::DlqStatus::accepted;
            out.became = outcome.event_id;
        } else if (outcome.what == model::DlqResult::discarded) {
            out.status = model::DlqStatus::discarded;
        } else if (outcome.what == model::DlqResult::exhausted) {
            out.status = model::DlqStatus::exhausted;
        }
    }
    Rig& rig_;
};

struct Dlq : ::testing::Test {
    Dlq() { rig.open(); }

    void reopen() {
        redrives.reset();
        rig.reopen();
    }

    void serve() {
        const auto audit = [this](model::AuditRecord record) {
            const MutexLock lock(mutex);
            audits.push_back(std::move(record));
        };
        redrives = std::make_unique<Redrives>(Redrives::Parts{
            *rig.gateway, items, *rig.log, rig.telemetry, rig.clock, audit, per_second});
        table = {};
        add_dlq_routes(table, *rig.gateway, items, *redrives, audit);
    }
    http::Response post(const std::string& path, std::string body) {
        if (!redrives) {
            serve();
        }
        auto match = table.match(http::Method::post, path);
        HELIOS_ASSERT(match.route != nullptr, "a route");
        auto request = Rig::request(std::move(body));
        request.path_params = std::move(match.path_params);
        request.remote = "127.0.0.1:4711";
        std::promise<http::Response> promise;
        auto future = promise.get_future();
        match.route->handler(std::move(request), rig.caller,
                             http::Responder([&promise](http::Response response) {
                                 promise.set_value(std::move(response));
                             }));
        return future.get();
    }
    http::Response resubmit(const std::string& id, std::string edits = "") {
        return post("/api/v1/dlq/" + id + "/resubmit", std::move(edits));
    }
    /// Posts it, and says under which id it is kept.
    std::string keep(Endpoint endpoint, const std::string& body) {
        const auto before = rig.kept_whole().size();
        rig.send(endpoint, body);
        const auto all = rig.kept_whole();
        HELIOS_ASSERT(all.size() == before + 1, "one more item is kept");
        return all.back().quarantined().id;
    }
    std::vector<model::DlqOutcome> outcomes() {
        std::vector<model::DlqOutcome> out;
        for (const auto& record : rig.dlq()) {
            if (record.type == model::RecordType::dlq_outcome) {
                out.push_back(*model::decode_dlq_outcome(record.value));
            }
        }
        return out;
    }

    Rig rig;
    ItemsOnLog items{rig};
    http::RouteTable table;
    Mutex mutex;
    std::vector<model::AuditRecord> audits;
    std::size_t per_second = 100'000;
    std::unique_ptr<Redrives> redrives;
};

}  // namespace helios::gateway
