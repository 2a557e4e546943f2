#pragma once
/// Which request or record a thread works for, so that its log lines say so.

#include "base/trace_id.h"

namespace helios::telemetry {

/// As long as it lives, lines that this thread logs carry `traceId`, unless there is none. Scopes
/// may be nested: the inner one counts. On the stack only.
class TraceScope {
public:
    explicit TraceScope(const TraceId& id);
    ~TraceScope();
    TraceScope(const TraceScope&) = delete;
    TraceScope& operator=(const TraceScope&) = delete;

private:
    TraceId before_;
};

/// What lines carry now.
const TraceId& current_trace();

}  // namespace helios::telemetry
