#include "api/options.h"

namespace helios::api {

Status Options::validate() const {
    if (barrier_limit <= Duration::zero() || barrier_limit > std::chrono::seconds(30)) {
        return fail(ErrorKind::invalid, "api.barrier_limit must be above 0 and at most 30s");
    }
    if (page_items_max == 0 || page_items_default == 0 || page_items_default > page_items_max) {
        return fail(ErrorKind::invalid, "api.page_items_default must be 1 … api.page_items_max");
    }
    if (page_bytes_max == 0) {
        return fail(ErrorKind::invalid, "api.page_bytes_max must be above 0");
    }
    if (stream_records_max == 0 || stream_bytes_max == 0) {
        return fail(ErrorKind::invalid,
                    "api.stream_records_max and api.stream_bytes_max must be above 0");
    }
    return {};
}

}  // namespace helios::api
