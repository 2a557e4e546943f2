#include "api/known_position.h"

#include <string>

namespace helios::api {
namespace {

constexpr std::string_view hint =
    "it belongs to another server or data directory, or is past retention: leave it out and "
    "read the present state";

Status check(log::Log& log, const model::PositionToken& after, const log::Offsets& ends) {
    const auto end = ends.find(after.pointer.partition);
    if (end != ends.end() && after.pointer.offset >= end->second) {
        return fail(ErrorKind::invalid,
                    "after: this position lies beyond the end of this server's log",
                    std::string(hint));
    }
    const auto found = log.read_at(after.pointer);
    const bool foreign =
        found ? found->records.empty() || found->records.front().log_time != after.log_time
              : found.error().kind == ErrorKind::not_found ||
                    found.error().kind == ErrorKind::invalid;
    if (foreign) {
        return fail(ErrorKind::invalid,
                    "after: this position is not, or no longer, in this server's log",
                    std::string(hint));
    }
    return {};
}

}  // namespace

Result<std::vector<model::PositionToken>> read_positions(log::Log& log, std::string_view after) {
    HELIOS_TRY_ASSIGN(auto positions, model::decode_positions(after));
    if (positions.front().log != log::hash_of(log.id())) {
        return fail(ErrorKind::invalid, "after: this position is one of another log",
                    std::string(hint));
    }
    HELIOS_TRY_ASSIGN(const auto ends, log.ends_of(beyond(positions)));
    for (const auto& position : positions) {
        HELIOS_TRY(check(log, position, ends));
    }
    return positions;
}

log::Offsets beyond(const std::vector<model::PositionToken>& positions) {
    log::Offsets ends;
    for (const auto& position : positions) {
        ends[position.pointer.partition] = Offset{position.pointer.offset.value + 1};
    }
    return ends;
}

}  // namespace helios::api
