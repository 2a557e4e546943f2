#include "log/state.h"

#include "log/memory_state.h"

namespace helios::log {

Result<std::unique_ptr<StateDirectory>> StateDirectory::open(StateOptions options, const LogId&) {
    if (!options.directory.empty()) {
        return fail(ErrorKind::unavailable, options.directory + ": states on disk are not there");
    }
    return memory_states();
}

}  // namespace helios::log
