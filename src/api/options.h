#pragma once
/// Bounds of the read API.

#include <cstddef>

#include "base/result.h"
#include "base/time.h"

namespace helios::api {

struct Options {
    Duration barrier_limit =
        std::chrono::seconds(1);  ///< how long a read waits for the stages before 503
    std::size_t page_items_default = 100;
    std::size_t page_items_max = 1000;
    std::size_t page_bytes_max =
        16u << 20;  ///< a page ends early (with a cursor) once its payloads reach this

    Duration quarantine_keep{};  ///< bodies of quarantined items older than that read as expired;
                                 ///< 0: they are read for as long as the log has them

    std::size_t stream_records_max =
        256;  ///< revisions read from the log at a time, per turn of a listener
    std::size_t stream_bytes_max = 256u << 10;  ///< and about this many bytes of them

    Status validate() const;
};

}  // namespace helios::api
