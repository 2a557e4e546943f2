#include "http/serving.h"

#include "telemetry/trace_scope.h"

namespace helios::http {

namespace {

constexpr std::size_t probes_waiting_max = 256;

}  // namespace

void Serving::start(const RouteTable& routes, Identify identify,
                    std::function<void(const Route*)> refused) {
    identify_ = std::move(identify);
    refused_ = std::move(refused);
    admission.emplace(options, routes, budget);
    metrics.emplace(telemetry.metrics, routes);
    const auto run = [this](WorkerPool::Job job) {
        invoke(*job.route, std::move(job.request), std::move(job.caller), std::move(job.responder));
    };
    workers.emplace(WorkerPool::Options{.threads = options.worker_threads,
                                        .waiting_max = options.worker_queue_max,
                                        .gives_way = true},
                    run, clock,
                    WorkerEvents{.began =
                                     [this](Duration waited) {
                                         metrics->question_wait.observe(
                                             std::chrono::duration<double>(waited).count());
                                     },
                                 .overdue = [this] { metrics->questions_overdue.add(); },
                                 .gone = [this] { metrics->questions_gone.add(); }});
    probes.emplace(WorkerPool::Options{.name = "http-probes", .waiting_max = probes_waiting_max},
                   run, clock);
}

std::variant<Caller, Response> Serving::identify(const Route& route, const Request& request) const {
    const telemetry::TraceScope scope(request.trace_id());
    try {
        return identify_ ? identify_(route, request) : local_caller();
    } catch (const std::exception& e) {
        telemetry.logger.error("http", "finding out who asks threw an exception",
                               {{"route", route.path}, {"what", e.what()}});
        return problem(500, "No answer", "it could not be found out who asks",
                       "this is a bug in the server: please report it");
    }
}

void Serving::invoke(const Route& route, Request request, Caller caller,
                     Responder responder) const {
    const telemetry::TraceScope scope(request.trace_id());
    try {
        route.handler(std::move(request), std::move(caller), std::move(responder));
    } catch (const std::exception& e) {
        telemetry.logger.error("http", "a handler threw an exception",
                               {{"route", route.path}, {"what", e.what()}});
    }
}

void Serving::end_requests(std::size_t count) {
    if (count != 0 && inflight_.fetch_sub(count) == count) {
        tell_if_idle();
    }
}

void Serving::end_unfinished() {
    if (unfinished_.fetch_sub(1) == 1) {
        tell_if_idle();
    }
}

bool Serving::begin_websocket() {
    if (websockets_.fetch_add(1) >= options.websockets_max) {
        --websockets_;
        metrics->websockets_refused.add();
        return false;
    }
    metrics->websockets.add(1);
    return true;
}

void Serving::end_websocket() {
    metrics->websockets.add(-1);
    if (websockets_.fetch_sub(1) == 1) {
        tell_if_idle();
    }
}

void Serving::tell_if_idle() {
    if (draining) {
        const MutexLock lock(mutex_);
        idle_.notify_all();
    }
}

bool Serving::wait_until_idle(Duration limit) {
    MutexLock lock(mutex_);
    return idle_.wait_for(
        lock, limit, [this] { return inflight_ == 0 && unfinished_ == 0 && websockets_ == 0; });
}

}  // namespace helios::http
