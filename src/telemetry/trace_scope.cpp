#include "telemetry/trace_scope.h"

#include <utility>

namespace helios::telemetry {
namespace {

thread_local TraceId current;

}  // namespace

TraceScope::TraceScope(const TraceId& id) : before_(std::exchange(current, id)) {}

TraceScope::~TraceScope() {
    current = before_;
}

const TraceId& current_trace() {
    return current;
}

}  // namespace helios::telemetry
