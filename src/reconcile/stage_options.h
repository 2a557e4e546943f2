#pragma once
/// What route and engine ask of their stage in the same words. Private to the room.

#include <string>
#include <string_view>
#include <utility>

#include "log/stage.h"

namespace helios::reconcile {

/// `options`: RouteOptions or EngineStageOptions. `name`: log::StageOptions::name. `who`: as log
/// lines say it.
template <class Options>
log::StageOptions stage_options(const Options& options, std::string name, std::string_view who) {
    log::StageOptions out;
    out.room = "reconcile";
    out.name = std::move(name);
    out.batch_records_max = options.batch_records_max;
    out.batch_bytes_max = options.batch_bytes_max;
    if constexpr (requires { options.commit_records_max; }) {
        out.commit_records_max = options.commit_records_max;
        out.commit_bytes_max = options.commit_bytes_max;
    }
    out.poll_wait = options.poll_wait;
    out.pace = options.pace;
    out.retry_after = options.retry_after;
    out.failing = std::string(who) + " failed and tries again";
    out.works_again = std::string(who) + " works again";
    return out;
}

}  // namespace helios::reconcile
