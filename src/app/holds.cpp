#include "app/holds.h"

#include <fmt/format.h>
#include <span>
#include <string>
#include <string_view>

#include "model/topics.h"
#include "store/dump.h"
#include "store/projector.h"

namespace helios::app {
namespace {

/// Where a stage stands on everything that it reads: nowhere is the beginning.
log::Offsets on_all(const log::Log& log, std::span<const TopicId> topics, const log::Offsets& at) {
    log::Offsets out;
    for (const auto topic : topics) {
        for (const auto& id : log.partitions_of(topic)) {
            const auto found = at.find(id);
            out[id] = found == at.end() ? Offset{0} : found->second;
        }
    }
    return out;
}

constexpr std::string_view store_hold = "store";

}  // namespace

std::vector<log::Hold> holds(log::Log& log, const std::filesystem::path& store_file) {
    return {
        {"route",
         [&log]() -> Result<log::Offsets> {
             HELIOS_TRY_ASSIGN(const auto at, log.committed("route"));
             return on_all(log, model::event_topics, at);
         }},
        {std::string(store_hold),
         [&log, store_file]() -> Result<log::Offsets> {
             log::Offsets at;
             if (std::filesystem::exists(store_file)) {
                 HELIOS_TRY_ASSIGN(at, store::durable_offsets(store_file));
             }
             return on_all(log, store::topics_of_the_store(), at);
         }},
    };
}

Status check_holds(log::Log& log, const std::vector<log::Hold>& holds) {
    for (const auto& hold : holds) {
        auto floor = hold.floor();
        if (!floor) {
            continue;  // whoever it is says so when it opens
        }
        auto reader = log.read(*std::move(floor));
        if (reader || reader.error().kind != ErrorKind::not_found) {
            continue;
        }
        return fail(
            ErrorKind::not_found,
            fmt::format("{} would go on before the log begins: {}", hold.by, reader.error().what),
            hold.by == store_hold
                ? "`helios store rebuild --from-log-start` makes a store of what is left; "
                  "or restore the store of a copy that is not as old"
                : "restore the data directory from a copy; or save what is left with "
                  "`helios log export` and ingest it into a new directory");
    }
    return {};
}

}  // namespace helios::app
