#include "api/known_position.h"

#include <string>

namespace helios::api {

Status check_position(log::Log& log, const model::PositionToken& after) {
    constexpr std::string_view hint =
        "it belongs to another server or data directory, or is past retention: leave it out and "
        "read the present state";
    if (after.log != log::hash_of(log.id())) {
        return fail(ErrorKind::invalid, "after: this position is one of another log",
                    std::string(hint));
    }
    if (after.log_time > log.last_log_time()) {
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

}  // namespace helios::api
